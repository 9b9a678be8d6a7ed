"""Old notifications are forgotten, and nothing that is open, counted or young goes with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.journal import notifications, tables
from receiver.journal.database import Database, sqlite_url
from receiver.journal.schema import migrate
from receiver.retention.notifications import notifications as forget
from receiver.retention.rows import AT_ONCE
from tests.receiver.journal.rows import at_once, counted
from tests.receiver.retention.stores import store_in

DAY = 86400.0


@pytest.fixture
def forget_old(database: Database, tmp_path: Path) -> Callable[[], int]:
    """Forgets what came more than thirty days ago; how many that were."""
    return lambda: len(list(forget(store_in(tmp_path, database), dry_run=False)))


def test_only_what_is_old_and_worked_off_is_forgotten(database: Database, forget_old: Callable[[], int]) -> None:
    """One with which something is left to do stays however old it is, and a young one stays in any case."""
    gone = stored(database, age=31 * DAY)
    due, young = stored(database, age=400 * DAY, concluded=False), stored(database, age=29 * DAY)

    assert forget_old() == 1

    assert ids(database) == {due, young}
    assert gone not in ids(database)
    assert forget_old() == 0


def test_what_was_counted_stays_counted(database: Database, forget_old: Callable[[], int]) -> None:
    """Counters come from a table of their own, so that they never go down."""
    for _ in range(3):
        stored(database, age=31 * DAY)
    before = counted(database, "notifications")

    assert forget_old() == 3

    assert counted(database, "notifications") == before == [({"outcome": "accepted"}, 3)]


def test_more_than_one_transaction_takes_are_all_forgotten(database: Database, forget_old: Callable[[], int]) -> None:
    """However many there are, they go in portions, and replicas that do it at once remove each one once."""
    fill(database, 2 * AT_ONCE + 1)

    assert sum(at_once(3, lambda _: forget_old())) == 2 * AT_ONCE + 1

    assert ids(database) == set()


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    """What is forgotten leaves room that SQLite fills again, so the file stays as large as its fullest month."""
    database = Database(sqlite_url(tmp_path / "state.db"))
    migrate(database)
    fill(database, 2000)
    pages = size(database)
    for _ in range(3):
        assert len(list(forget(store_in(tmp_path, database), dry_run=False))) == 2000
        fill(database, 2000)

    assert size(database) <= pages * 1.1
    database.close()


def test_those_beyond_the_count_are_forgotten_although_they_are_young(database: Database, tmp_path: Path) -> None:
    """Of more than are kept the oldest go; what is still to be looked at stays, and counts among them."""
    due = stored(database, age=3, concluded=False)
    fill(database, 10_001, at=time.time() - 2)
    newest = stored(database, age=1)
    store = store_in(tmp_path, database, journal={"most_notifications": 10_000})

    told = list(forget(store, dry_run=True))
    assert len(ids(database)) == 10_003, "a dry run only tells"
    gone = list(forget(store, dry_run=False))

    assert sorted(gone) == sorted(told)
    assert {due, newest} <= ids(database)
    assert len(ids(database)) <= 10_001


def stored(database: Database, age: float, concluded: bool = True) -> str:
    """A notification that came so many seconds ago."""
    with database.write() as tx:
        id_ = notifications.store(tx, database.now(tx) - age, [{"status": "firing"}], 0)
        if concluded:
            notifications.conclude(tx, [id_])
    return id_


def fill(database: Database, count: int, at: float = 0.0) -> None:
    """So many notifications of that moment that were worked off."""
    row = {"received_at": at, "alerts": "[]", "truncated": 0, "next_look_at": None, "attempts": 1}
    with database.write() as tx:
        tx.execute(sa.insert(tables.notification), [row | {"id": f"{number:05}"} for number in range(count)])


def ids(database: Database) -> set[str]:
    """Of all notifications."""
    with database.read() as tx:
        return {row.id for row in tx.execute(sa.select(tables.notification.c.id))}


def size(database: Database) -> int:
    """Pages of the file."""
    with database.read() as tx:
        return int(tx.execute(sa.text("PRAGMA page_count")).scalar_one())
