"""No secret is written down: neither below a key that names one, nor one that was read, nor what looks like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.redact import REDACTED, redact, redact_text
from receiver.secret import SecretFile


class Unshowable:
    """Something of a library whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("not now")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(Unshowable)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
    ),
)


@pytest.mark.parametrize("value", ["hunter2", 42, None, ["a"], {"inner": "a"}])
def test_value_of_a_sensitive_key_is_replaced(value: object) -> None:
    """Whatever its type, what stands below the name of a secret is hidden."""
    assert redact({"DB_PASSWORD": value, "service": "fastapi"}) == {"DB_PASSWORD": REDACTED, "service": "fastapi"}


def test_secrets_are_found_at_any_depth() -> None:
    """Dictionaries, lists and tuples are walked, and what is no secret stays as it is."""
    told = {"plan": [{"command": ("/bin/x", "-v"), "env": {"TOKEN": "t", "LANG": "C"}}], "count": 3, "ratio": 0.5}
    expected = {
        "plan": [{"command": ["/bin/x", "-v"], "env": {"TOKEN": REDACTED, "LANG": "C"}}],
        "count": 3,
        "ratio": 0.5,
    }
    assert redact(told) == expected


def test_value_of_an_option_is_hidden_in_a_command() -> None:
    """In a list of arguments the one after `--password` is hidden, and only that one."""
    told = ["/bin/x", "--password", "hunter2", "--dry-run", "--token-file", "/etc/token", "--key=abc"]
    expected = ["/bin/x", "--password", REDACTED, "--dry-run", "--token-file", "/etc/token", f"--key={REDACTED}"]
    assert redact(told) == expected


def test_what_was_given_is_not_changed() -> None:
    """The caller's own dictionary keeps its values."""
    told = {"env": {"TOKEN": "t"}}
    redact(told)
    assert told == {"env": {"TOKEN": "t"}}


def test_value_may_be_hidden_by_its_own_name() -> None:
    """A single value is hidden by the name that comes with it, and only then."""
    assert redact("hunter2", "password") == REDACTED
    assert redact("hunter2", "user") == "hunter2"


def test_secret_that_was_read_from_a_file_is_hidden_everywhere(tmp_path: Path) -> None:
    """Once a secret file was read, its value is hidden in texts, in keys and within bytes and errors."""
    file = tmp_path / "token"
    file.write_text("the value in the file\n")
    file.chmod(0o600)
    assert redact_text("it is the value in the file") == "it is the value in the file"
    SecretFile(file).digest()
    assert redact_text("it is the value in the file") == f"it is {REDACTED}"
    told = {"the value in the file": b"the value in the file", "error": ValueError("not the value in the file")}
    assert redact(told) == {REDACTED: REDACTED, "error": f"not {REDACTED}"}


@given(VALUES)
def test_anything_can_be_redacted(value: object) -> None:
    """Whatever is given, nothing is raised, and what comes out is what JSON knows."""
    json.dumps(redact(value))


def test_what_holds_itself_or_is_nested_without_end_has_an_end() -> None:
    """A list within itself, and one a thousand deep, are cut off with a word."""
    endless: list[object] = []
    endless += [endless, endless, 1]
    cut = "(nested too deeply to be shown)"
    assert redact(endless) == [cut, cut, 1]
    deep: object = "x"
    for _ in range(1000):
        deep = [deep]
    assert cut in json.dumps(redact(deep))
