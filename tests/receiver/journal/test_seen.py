"""When something regular was last seen never goes back."""

from __future__ import annotations

from receiver.journal import seen
from receiver.journal.database import Database
from tests.receiver.journal.rows import NOW, at_once


def test_what_was_never_seen_has_no_time(database: Database) -> None:
    """Each name has its own time, and none at first."""
    assert last(database) is None
    mark(database, NOW)
    with database.read() as tx:
        assert seen.last(tx, "another") is None


def test_the_latest_counts_whatever_comes_last(database: Database) -> None:
    """A notification that was overtaken by a later one does not set the time back."""
    for at in (NOW, NOW + 60, NOW + 30):
        mark(database, at)
    assert last(database) == NOW + 60


def test_the_latest_of_many_at_once_counts(database: Database) -> None:
    """Replicas that write in the same moment leave the latest time."""
    at_once(20, lambda number: mark(database, NOW + number))
    assert last(database) == NOW + 19


def mark(database: Database, at: float) -> None:
    with database.write() as tx:
        seen.mark(tx, seen.WATCHDOG, at)


def last(database: Database) -> float | None:
    with database.read() as tx:
        return seen.last(tx, seen.WATCHDOG)
