"""Old notifications are forgotten, and nothing that is open, counted or young goes with them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from receiver.journal import notifications, tables
from receiver.journal.database import Database, sqlite_url
from receiver.journal.schema import migrate
from receiver.notification_retention import AT_ONCE, forget_old
from tests.receiver.journal.rows import at_once, counted

DAY = 86400.0


def test_only_what_is_old_and_worked_off_is_forgotten(database: Database) -> None:
    """One with which something is left to do stays however old it is, and a young one stays in any case."""
    gone = stored(database, age=31 * DAY)
    due, young = stored(database, age=400 * DAY, concluded=False), stored(database, age=29 * DAY)

    assert forget_old(database, 30 * DAY) == 1

    assert ids(database) == {due, young}
    assert gone not in ids(database)
    assert forget_old(database, 30 * DAY) == 0


def test_what_was_counted_stays_counted(database: Database) -> None:
    """Counters come from a table of their own, so that they never go down."""
    for _ in range(3):
        stored(database, age=31 * DAY)
    before = counted(database, "notifications")

    assert forget_old(database, 30 * DAY) == 3

    assert counted(database, "notifications") == before == [({"outcome": "accepted"}, 3)]


def test_more_than_one_transaction_takes_are_all_forgotten(database: Database) -> None:
    """However many there are, they go in portions, and replicas that do it at once remove each one once."""
    fill(database, 2 * AT_ONCE + 1)

    assert sum(at_once(3, lambda _: forget_old(database, 30 * DAY))) == 2 * AT_ONCE + 1

    assert ids(database) == set()


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    """What is forgotten leaves room that SQLite fills again, so the file stays as large as its fullest month."""
    database = Database(sqlite_url(tmp_path / "state.db"))
    migrate(database)
    fill(database, 2000)
    pages = size(database)
    for _ in range(3):
        forget_old(database, 30 * DAY)
        fill(database, 2000)

    assert size(database) <= pages * 1.1
    database.close()


def stored(database: Database, age: float, concluded: bool = True) -> str:
    """A notification that came so many seconds ago."""
    with database.write() as tx:
        id_ = notifications.store(tx, database.now(tx) - age, [{"status": "firing"}], 0)
        if concluded:
            notifications.conclude(tx, [id_])
    return id_


def fill(database: Database, count: int) -> None:
    """So many old notifications that were worked off."""
    row = {"received_at": 0.0, "alerts": "[]", "truncated": 0, "next_look_at": None, "attempts": 1}
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
