"""A secret's file is read on each use, refused where others may read it, and never shown."""

from __future__ import annotations

import hmac
import itertools
import time
from pathlib import Path

import pytest

from receiver.secret import SecretFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "token"
    found.write_text("0123456789abcdef\n")
    found.chmod(0o600)
    return found


def test_the_secret_and_nothing_else_matches(file: Path) -> None:
    """Spaces around it in the file do not count; more, less and another do."""
    secret = SecretFile(file)
    assert secret.matches("0123456789abcdef")
    assert not any(secret.matches(other) for other in ("", "0123456789abcde", "0123456789abcdef\n", "0123456789ABCDEF"))


@pytest.mark.parametrize("offered", ["0123456789abcdef", "0123456789abcdeg", "", "é"])
def test_it_is_compared_in_constant_time(file: Path, monkeypatch: pytest.MonkeyPatch, offered: str) -> None:
    """Right or wrong, the whole of it is given to what takes as long wherever they differ, and its word counts."""
    asked: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        asked.append((one, other))
        return offered == ""

    monkeypatch.setattr(hmac, "compare_digest", compare)

    assert SecretFile(file).matches(offered) == (offered == "")
    assert asked == [(b"0123456789abcdef", offered.encode())]


def test_a_rotated_secret_counts_at_once(file: Path) -> None:
    """No restart is needed, and the old one is none any more."""
    secret = SecretFile(file)
    assert secret.matches("0123456789abcdef")
    file.write_text("another-secret-of-some-length")
    assert (secret.matches("another-secret-of-some-length"), secret.matches("0123456789abcdef")) == (True, False)


def test_a_secret_rotated_at_once_to_one_as_long_counts_at_once(file: Path) -> None:
    """However coarsely the file system counts time: what was changed just now is read again."""
    secret = SecretFile(file)
    for number in range(200):
        rotated = ("fedcba9876543210", "0123456789abcdef")[number % 2]
        file.write_text(rotated)
        assert secret.matches(rotated)


def test_a_file_that_was_left_alone_is_kept_until_it_changes(file: Path) -> None:
    """Another secret as long, in the same file, and other rights count at the next look, a tenth of a second later."""
    later = itertools.count(60, 0.1001)
    secret = SecretFile(file, clock=lambda: time.time() + next(later))
    assert secret.matches("0123456789abcdef")
    assert secret.matches("0123456789abcdef")
    read_at = file.stat().st_mtime_ns
    while file.stat().st_mtime_ns == read_at:
        file.write_text("fedcba9876543210")
    assert (secret.matches("fedcba9876543210"), secret.matches("0123456789abcdef")) == (True, False)

    while file.stat().st_ctime_ns == file.stat().st_mtime_ns:
        file.chmod(0o604)
    with pytest.raises(ValueError, match="others may read it"):
        secret.matches("fedcba9876543210")


@pytest.mark.parametrize("moved", [0.02, -1], ids=["later", "a clock that is set back"])
def test_a_file_that_was_left_alone_is_looked_at_ten_times_a_second_at_most(file: Path, moved: float) -> None:
    """In a storm not with each request; what was not good then is looked at again with the next."""
    now = time.time() + 60
    secret = SecretFile(file, clock=lambda: now)
    assert secret.matches("0123456789abcdef")
    file.unlink()
    now += 0.09
    assert secret.matches("0123456789abcdef")
    now += moved
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            secret.matches("0123456789abcdef")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o601])
def test_what_others_may_read_is_no_secret(file: Path, mode: int) -> None:
    """Any right of others refuses it, and says how to mend that."""
    file.chmod(mode)
    with pytest.raises(ValueError, match="others may read it; run: chmod 600"):
        SecretFile(file).matches("0123456789abcdef")


@pytest.mark.parametrize("content", ["", " \n", "0123456789abcde"])
def test_what_is_too_short_is_no_secret(file: Path, content: str) -> None:
    """An empty file lets nobody in, not even with an empty token."""
    file.write_text(content)
    with pytest.raises(ValueError, match="shorter than 16 characters"):
        SecretFile(file).matches(content.strip())


def test_it_is_never_shown(file: Path) -> None:
    """Neither printed nor in a message is it more than its place."""
    secret = SecretFile(file)
    assert {f"{secret}", f"{secret!r}"} == {"<secret>"}
    assert b"0123456789abcdef" not in secret.digest()
