"""Failed sign-ins are counted by address and by name, and the right ones are not held up by others' guesses."""

from __future__ import annotations

import pytest

from receiver.throttle import LIMIT, WINDOW, Throttle, Throttled
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def is_throttled(throttle: Throttle, address: str, name: str) -> bool:
    """Whether an attempt, which fails, is not even made."""
    try:
        throttle.begin(address, name)
    except Throttled:
        return True
    return False


def test_an_address_has_ten_tries_a_minute(throttle: Throttle, clock: Clock) -> None:
    """After ten failures for different names the eleventh is told when to come again, and may then."""
    for number in range(LIMIT):
        throttle.begin("192.0.2.1", f"user{number}")
        clock.now += 1
    with pytest.raises(Throttled) as caught:
        throttle.begin("192.0.2.1", "another")

    assert (caught.value.retry_after, str(caught.value)) == (50, "too many attempts failed; try again in 50 s")
    clock.now += 50
    throttle.begin("192.0.2.1", "another")


def test_a_name_has_ten_tries_a_minute(throttle: Throttle) -> None:
    """From many addresses no more is guessed than from one."""
    outcomes = [is_throttled(throttle, f"192.0.2.{number}", "alice") for number in range(LIMIT + 2)]
    assert outcomes == [False] * LIMIT + [True] * 2
    assert not is_throttled(throttle, "192.0.2.1", "bob")


def test_what_succeeds_is_no_failure(throttle: Throttle) -> None:
    """A scrape that signs in each time is never held up."""
    for _ in range(LIMIT * 3):
        throttle.succeeded(throttle.begin("192.0.2.1", "prometheus"))


def test_attempts_under_way_count(throttle: Throttle) -> None:
    """As many at once as the server has threads are no way around the limit."""
    begun = [throttle.begin("192.0.2.1", "alice") for _ in range(LIMIT)]
    assert is_throttled(throttle, "192.0.2.1", "alice")
    throttle.succeeded(begun[0])
    assert not is_throttled(throttle, "192.0.2.1", "alice")


def test_a_strangers_guesses_do_not_lock_a_person_out(throttle: Throttle) -> None:
    """Who signed in from an address before is held to their own failures there, and those are ten as well."""
    throttle.succeeded(throttle.begin("192.0.2.1", "alice"))
    for number in range(LIMIT):
        throttle.begin("192.0.2.1", f"user{number}")
        throttle.begin(f"198.51.100.{number}", "alice")

    assert not is_throttled(throttle, "192.0.2.1", "alice")
    assert [is_throttled(throttle, "192.0.2.1", "alice") for _ in range(LIMIT)] == [False] * (LIMIT - 1) + [True]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_a_network_of_ipv6_is_one_client(throttle: Throttle, one: str, other: str, same: bool) -> None:
    """All addresses of a /64 are somebody's, and one of IPv4 is itself, however it is written."""
    for number in range(LIMIT):
        throttle.begin(one, f"user{number}")
    assert is_throttled(throttle, other, "another") == same


def test_memory_is_bounded(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names are tried, only the newest are kept in mind."""
    monkeypatch.setattr("receiver.throttle._KEYS", 5)
    for number in range(100):
        throttle.succeeded(throttle.begin(f"192.0.2.{number}", f"user{number}"))
    assert (len(throttle._failures), len(throttle._known)) == (5, 5)


def test_a_window_is_a_minute() -> None:
    """The document says ten in a minute."""
    assert (LIMIT, WINDOW) == (10, 60.0)
