"""Notifications that come at once share a transaction; each is answered for itself."""

from __future__ import annotations

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
from receiver.journal.schema import migrate

ALERT = {"status": "firing", "alertname": "ServiceDown"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "state.db"))
    migrate(made)
    yield made
    made.close()


def stored(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.execute(sa.select(tables.notification.c.id)).scalars())


def test_each_that_comes_at_once_is_stored_and_counted(database: Database) -> None:
    """Every caller gets the id of its own row, and all are counted, in fewer transactions than there are callers."""
    commits: list[int] = []
    event.listen(database.engine, "commit", lambda _: commits.append(1))
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
