"""The key of the cookies is made once, for nobody else, and never used when others know it."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.errors import RollbackAgentError
from receiver.web.key import session_key


def test_it_is_made_once(tmp_path: Path) -> None:
    """The first start makes a random key that only its owner reads; later ones take it."""
    file = tmp_path / "web.key"
    first = session_key(file)
    assert (len(first), file.stat().st_mode & 0o777) == (32, 0o600)
    assert session_key(file) == first
    assert session_key(tmp_path / "other.key") != first
    assert {one.name for one in tmp_path.iterdir()} == {"web.key", "other.key"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_one_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever reads it could make cookies; the sentence says what to run."""
    file = tmp_path / "web.key"
    session_key(file)
    file.chmod(mode)
    with pytest.raises(RollbackAgentError, match=r"others may read .*; run: chmod 600 "):
        session_key(file)


def test_one_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    """An empty or short file is no key."""
    file = tmp_path / "web.key"
    file.write_bytes(b"short")
    file.chmod(0o600)
    with pytest.raises(RollbackAgentError, match="cut short"):
        session_key(file)


def test_a_directory_that_takes_none_is_told(tmp_path: Path) -> None:
    """Where the key cannot be kept, the sentence names the file and why."""
    with pytest.raises(RollbackAgentError, match=r"web\.key: the key of the sessions cannot be used: No such file"):
        session_key(tmp_path / "gone" / "web.key")
