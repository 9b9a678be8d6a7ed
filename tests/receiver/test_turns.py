"""Turns at being looked at are fair, and who hangs waits with those that hang."""

from __future__ import annotations

import pytest

from receiver.turns import SLOW, Turns
from tests.clock import Clock

PERIODS = {"a": 10.0, "b": 10.0, "c": 60.0}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(clock)


def look(turns: Turns, clock: Clock, takes: float = 0.0, *, slow: bool = False) -> str | None:
    """One look by one thread; at whom."""
    name = turns.take(PERIODS, slow=slow)
    clock.now += takes
    if name is not None:
        turns.give_back(name)
    return name


def test_each_is_looked_at_once_in_its_period(turns: Turns, clock: Clock) -> None:
    """First all, then who is due again, and nobody before."""
    assert [look(turns, clock) for _ in range(4)] == ["a", "b", "c", None]
    clock.now += 10
    assert [look(turns, clock) for _ in range(3)] == ["a", "b", None]


def test_who_has_waited_longest_comes_first(turns: Turns, clock: Clock) -> None:
    """Names and periods do not decide, the time that one is overdue does."""
    for _ in range(3):
        look(turns, clock, 1.0)
    clock.now += 100
    assert [look(turns, clock) for _ in range(3)] == ["a", "b", "c"]


def test_nobody_is_looked_at_twice_at_once(turns: Turns, clock: Clock) -> None:
    """However long a look takes, another thread takes another deployment."""
    assert turns.take({"a": 10.0}, slow=False) == "a"
    clock.now += 1000
    assert turns.take({"a": 10.0}, slow=False) is None
    assert turns.take({"a": 10.0, "b": 10.0}, slow=False) == "b"


def test_who_hung_waits_with_those_that_hang(turns: Turns, clock: Clock) -> None:
    """After a look that hung the next is that of another thread, until one ends in time."""
    assert look(turns, clock, SLOW) == "a"
    clock.now += 10
    assert [look(turns, clock) for _ in range(3)] == ["b", "c", None]
    assert [look(turns, clock, slow=True) for _ in range(2)] == ["a", None]
    clock.now += 10
    assert [look(turns, clock) for _ in range(3)] == ["a", "b", None]


def test_who_is_put_back_is_looked_at_at_once(turns: Turns, clock: Clock) -> None:
    """Of a deployment that was taken out of the configuration nothing is remembered, also if a look was under way."""
    assert turns.take(PERIODS, slow=False) == "a"
    assert turns.take({"b": 10.0}, slow=False) == "b"
    clock.now += SLOW
    turns.give_back("a")
    assert turns.take(PERIODS, slow=False) == "a"
