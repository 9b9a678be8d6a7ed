"""Notifications that come at once share a transaction; each is answered for itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from receiver.errors import JournalError
from receiver.intake import Intake
from receiver.journal import tables
from receiver.journal.counts import read_all
from receiver.journal.database import Database, sqlite_url
from tests.receiver import migrated

ALERT = {"status": "firing", "alertname": "ServiceDown"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "state.db"))
    migrated.make(made)
    yield made
    made.close()


@pytest.fixture
def commits(database: Database) -> list[int]:
    """Grows by one with each commit."""
    found: list[int] = []
    event.listen(database.engine, "commit", lambda _: found.append(1))
    return found


def stored(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.execute(sa.select(tables.notification.c.id)).scalars())


def store_together(pool: ThreadPoolExecutor, intake: Intake, database: Database, commits: list[int]) -> None:
    """Store two that share one commit."""
    for _ in range(100):
        commits.clear()
        with database.write():  # so that they gather
            both = [pool.submit(intake.store, [ALERT], 0, 0) for _ in range(2)]
            time.sleep(0.01)
        for one in both:
            one.result(timeout=50)
        if len(commits) == 2:  # the lock's, and theirs
            commits.clear()
            return
    raise AssertionError("no two of a hundred pairs came together")


def test_each_that_comes_at_once_is_stored_and_counted(database: Database, commits: list[int]) -> None:
    """Every caller gets the id of its own row, and all are counted, in fewer transactions than there are callers."""
    intake = Intake(database)
    with ThreadPoolExecutor(32) as pool:
        with database.write():  # so that they gather
            asked = [pool.submit(intake.store, [ALERT], 0, 1) for _ in range(32)]
        ids = [one.result() for one in asked]

    assert sorted(ids) == sorted(stored(database))
    assert len(set(ids)) == 32
    assert len(commits) < 32
    with database.read() as tx:
        counted = {(name, labels["outcome"]): value for name, labels, value in read_all(tx)}
    assert counted == {("notifications", "accepted"): 32, ("alerts", "invalid"): 32}


@pytest.mark.parametrize("error", [JournalError("the disk is full"), ValueError("nobody expected this")])
def test_each_hears_that_nothing_was_stored(database: Database, error: Exception) -> None:
    """Where a transaction fails, whoever has waited for it is told, and none of them was stored."""

    def fail(_: object) -> None:
        raise error

    intake = Intake(database)
    event.listen(database.engine, "commit", fail)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(intake.store, [ALERT], 0, 0) for _ in range(8)]
        told = [one.exception() for one in asked]
    event.remove(database.engine, "commit", fail)

    assert {(type(one), str(one)) for one in told} == {(type(error), str(error))}
    assert stored(database) == []
    assert intake.store([ALERT], 0, 0) in stored(database)


def test_none_is_forgotten_where_many_come_and_go(database: Database) -> None:
    """Callers that come back at once find one that stores, whoever it was before; nobody waits for ever."""
    intake = Intake(database)
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(intake.store, [ALERT], 0, 0) for _ in range(400)]
        ids = [one.result(timeout=60) for one in asked]

    assert sorted(ids) == sorted(stored(database))
    assert len(set(ids)) == 400


def test_those_that_came_together_wait_for_each_other(database: Database, commits: list[int]) -> None:
    """After two came at once, the next one waits for a companion, and both share a commit."""
    intake = Intake(database, gather=60)
    with ThreadPoolExecutor(2) as pool:
        store_together(pool, intake, database, commits)
        first = pool.submit(intake.store, [ALERT], 0, 0)
        with pytest.raises(TimeoutError):
            first.result(timeout=0.3)
        second = pool.submit(intake.store, [ALERT], 0, 0)
        ids = {first.result(timeout=50), second.result(timeout=50)}

    assert len(commits) == 1
    assert ids < set(stored(database))


def test_one_alone_waits_for_nobody(database: Database) -> None:
    """A notification that follows others which came alone is stored at once."""
    intake = Intake(database, gather=60)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            pool.submit(intake.store, [ALERT], 0, 0).result(timeout=50)


def test_who_stays_away_is_waited_for_once(database: Database, commits: list[int]) -> None:
    """One that came with another before is stored without it after a while, and the next one at once."""
    intake = Intake(database, gather=2)
    with ThreadPoolExecutor(2) as pool:
        store_together(pool, intake, database, commits)
        began = time.monotonic()
        pool.submit(intake.store, [ALERT], 0, 0).result(timeout=50)
        alone = time.monotonic()
        pool.submit(intake.store, [ALERT], 0, 0).result(timeout=50)
        again = time.monotonic()

    assert alone - began >= 2
    assert again - alone < alone - began


def test_where_no_transaction_begins_each_hears_it(database: Database) -> None:
    """Also those are told whose turn would have come next, and afterwards notifications are stored again."""
    turns: list[int] = []

    def fail(_: object) -> None:
        turns.append(1)
        raise JournalError("the journal is gone")

    intake = Intake(database)
    event.listen(database.engine, "begin", fail)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(intake.store, [ALERT], 0, 0) for _ in range(8)]
        told = [one.exception(timeout=60) for one in asked]
    event.remove(database.engine, "begin", fail)

    assert {str(one) for one in told} == {"the journal is gone"}
    assert len(turns) <= 8
    assert intake.store([ALERT], 0, 0) in stored(database)
