"""What stands below a key that names a secret is never written down."""

from __future__ import annotations

import pytest

from receiver.redact import REDACTED, redact


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "DB_PASSWORD",
        "token",
        "bearerToken",
        "api_key",
        "client-secret",
        "credentials",
        "Authorization",
        "Set-Cookie",
    ],
)
def test_value_of_a_sensitive_key_is_replaced(key: str) -> None:
    """The guide's names, in any case and as a part of a longer name, hide the value, whatever its type."""
    for value in ("hunter2", 42, None, ["a"], {"inner": "a"}):
        assert redact({key: value, "service": "fastapi"}) == {key: REDACTED, "service": "fastapi"}


def test_secrets_are_found_at_any_depth() -> None:
    """Dictionaries, lists and tuples are walked, and what is no secret stays as it is."""
    told = {"plan": [{"command": ("/bin/x", "-v"), "env": {"TOKEN": "t", "LANG": "C"}}], "count": 3, "ratio": 0.5}
    expected = {
        "plan": [{"command": ["/bin/x", "-v"], "env": {"TOKEN": REDACTED, "LANG": "C"}}],
        "count": 3,
        "ratio": 0.5,
    }
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
    assert redact({5: "a number as a key"}) == {5: "a number as a key"}
