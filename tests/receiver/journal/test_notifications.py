"""A stored notification is looked at until nothing is left to do with it."""

from __future__ import annotations

from receiver.journal import notifications
from receiver.journal.database import Database
from receiver.journal.notifications import StoredNotification
from tests.receiver.journal.rows import NOW, at_once, counted

ALERTS: list[dict[str, object]] = [
    {"status": "firing", "alertname": "Odd \u2713 \U0001f4a5 \n'\"", "deployment": "qrl"}
]


def test_a_stored_notification_is_due_as_it_came(database: Database) -> None:
    """What was accepted is due at once, with its alerts unchanged whatever they hold."""
    id_ = store(database, NOW)

    assert due(database, NOW) == (StoredNotification(id_, NOW, tuple(ALERTS), 2, 0),)


def test_every_stored_notification_is_counted(database: Database) -> None:
    """Notifications that come at the same moment are all stored and all counted."""
    at_once(20, lambda _: store(database, NOW))

    assert len({one.id for one in due(database, NOW)}) == 20
    assert counted(database, "notifications") == [({"outcome": "accepted"}, 20)]


def test_it_is_looked_at_again_when_asked_to(database: Database) -> None:
    """One that is to be looked at later is not due before, and knows how often it was looked at."""
    id_ = store(database, NOW)
    with database.write() as tx:
        notifications.look_again(tx, [id_], NOW + 5)

    assert due(database, NOW + 4.9) == ()
    assert [one.attempts for one in due(database, NOW + 5)] == [1]


def test_a_concluded_one_is_never_due(database: Database) -> None:
    """Nothing is left to do with one that was concluded, and others are not touched."""
    first, second = store(database, NOW), store(database, NOW)
    with database.write() as tx:
        notifications.conclude(tx, [first])

    assert [one.id for one in due(database, NOW + 99)] == [second]


def test_the_oldest_come_first_and_not_too_many(database: Database) -> None:
    """A flood is worked off in the order in which it came, in portions."""
    ids = [store(database, NOW - age) for age in (1, 3, 2)]

    with database.read() as tx:
        assert [one.id for one in notifications.due(tx, NOW, limit=2)] == [ids[1], ids[2]]


def store(database: Database, now: float) -> str:
    with database.write() as tx:
        return notifications.store(tx, now, ALERTS, 2)


def due(database: Database, now: float) -> tuple[StoredNotification, ...]:
    with database.read() as tx:
        return notifications.due(tx, now)
