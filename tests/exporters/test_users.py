"""Distinct users are counted over the last five minutes."""

from __future__ import annotations

from exporters.users import Users


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_users_are_counted_once() -> None:
    """Many requests of one user are one user, affected from the first error on."""
    users = Users(Clock())
    for _ in range(3):
        users.saw("ada", failed=False)
    users.saw("grace", failed=True)
    users.saw("grace", failed=False)
    assert users.count() == (2, 1)


def test_users_are_forgotten_after_five_minutes() -> None:
    """A user counts for five minutes from the last request, as affected from the last error."""
    clock = Clock()
    users = Users(clock)
    users.saw("ada", failed=True)
    clock.now += 200
    users.saw("ada", failed=False)
    users.saw("grace", failed=True)
    assert users.count() == (2, 2)
    clock.now += 100
    assert users.count() == (2, 1)
    clock.now += 200
    assert users.count() == (0, 0)


def test_users_are_bounded() -> None:
    """Above the bound new users are left out, which is counted, until old ones are forgotten."""
    clock = Clock()
    users = Users(clock, max_users=2)
    for name in ("ada", "grace", "edsger", "ada"):
        users.saw(name, failed=True)
    assert (users.count(), users.dropped) == ((2, 2), 1)
    clock.now += 300
    users.saw("edsger", failed=False)
    assert (users.count(), users.dropped) == ((1, 0), 1)
