"""A user's password is checked against its bcrypt hash, as dearly where there is no such user."""

from __future__ import annotations

import time

import bcrypt
import pytest

from receiver.passwords import Passwords
from receiver.throttle import LIMIT, Throttled

HERE = "192.0.2.1"


def hashed(password: str, cost: int = 4, prefix: bytes = b"2b") -> str:
    """The bcrypt hash of a password."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).replace(b"$2b$", b"$%s$" % prefix).decode()


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
def test_the_right_password_and_no_other(prefix: bytes) -> None:
    """Each kind of hash that htpasswd and its like write is taken; case, spaces and the empty word count."""
    passwords = Passwords({"alice": hashed("pässwort", prefix=prefix)}, time.monotonic)
    assert passwords.check("alice", "pässwort", HERE)
    assert not any(passwords.check("alice", wrong, HERE) for wrong in ("", "pÄsswort", "pässwort ", "pässwort\0"))
    assert not passwords.check("bob", "pässwort", HERE)


def test_a_long_password_is_not_right_by_its_beginning() -> None:
    """bcrypt looks at 72 bytes; what is longer is wrong and no error."""
    passwords = Passwords({"alice": hashed("x" * 72)}, time.monotonic)
    assert passwords.check("alice", "x" * 72, HERE)
    assert not passwords.check("alice", "x" * 73, HERE)
    assert not passwords.check("alice", "x" * 100_000, HERE)


def test_an_unknown_user_costs_the_same() -> None:
    """The time does not tell which names there are: it is that of the dearest hash."""
    passwords = Passwords({"alice": hashed("right", cost=10), "bob": hashed("right")}, time.monotonic)

    def seconds(name: str) -> float:
        start = time.process_time()
        assert not passwords.check(name, "wrong", HERE)
        return time.process_time() - start

    known, unknown = (min(seconds(name) for _ in range(3)) for name in ("alice", "mallory"))
    assert known / 2 < unknown < known * 2


def test_a_scrape_does_not_pay_twice() -> None:
    """A password that was right is remembered, a wrong one is not let in by that, nor the right one of another hash."""
    passwords = Passwords({"prometheus": hashed("right", cost=12)}, time.monotonic)
    start = time.process_time()
    assert passwords.check("prometheus", "right", HERE)
    first = time.process_time() - start
    assert all(passwords.check("prometheus", "right", HERE) for _ in range(100))
    assert time.process_time() - start < first * 2
    assert not passwords.check("prometheus", "wrong", HERE)


def test_what_is_remembered_is_bounded() -> None:
    """Of many users' passwords the newest hundred are remembered, and no password is kept itself."""
    hashes = {f"user{number}": hashed("secret") for number in range(105)}
    passwords = Passwords(hashes, time.monotonic)
    assert all(passwords.check(name, "secret", HERE) for name in hashes)
    assert len(passwords._verified) == 100
    assert b"secret" not in b"".join(passwords._verified)


def test_guessing_ends() -> None:
    """After ten wrong passwords even the right one has to wait, so it cannot be found by trying."""
    passwords = Passwords({"alice": hashed("right")}, time.monotonic)
    assert not any(passwords.check("alice", f"wrong{number}", HERE) for number in range(LIMIT))
    with pytest.raises(Throttled):
        passwords.check("alice", "right", HERE)


def test_without_users_nobody_is_right_and_nothing_is_computed() -> None:
    """Where no users are configured a stranger cannot make the agent compute."""
    passwords = Passwords({}, time.monotonic)
    assert not any(passwords.check("alice", "x", HERE) for _ in range(LIMIT * 10))
