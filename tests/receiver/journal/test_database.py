"""Transactions commit as a whole, reads see one moment, and what is committed survives the process."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.errors import JournalError
from receiver.journal import counts, notifications, tables
from receiver.journal.database import Database, new_id, sqlite_url
from tests.receiver.journal.rows import NOW, contents, counted


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """What was written before the error in a transaction is gone with it."""

    def fail_halfway() -> None:
        with database.write() as tx:
            counts.bump(tx, "runs", deployment="qrl")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    assert counted(database, "runs") == []


def test_a_database_error_is_a_journal_error(database: Database) -> None:
    """What the database refuses comes out as the receiver's own error, with the database's words."""
    row = {"name": "qrl", "locked": 1}
    with pytest.raises(JournalError, match=r"the journal's database failed: .*(UNIQUE|unique)"), database.write() as tx:
        tx.execute(sa.insert(tables.deployment), [row, row])


def test_a_read_sees_one_moment(database: Database) -> None:
    """What another writes during a read is not half in it: every statement sees the moment of the first."""
    with database.read() as tx:
        before = list(counts.read_all(tx))
        with database.write() as other:
            counts.bump(other, "runs", deployment="qrl")
        during = list(counts.read_all(tx))

    assert (before, during) == ([], [])
    assert counted(database, "runs") == [({"deployment": "qrl"}, 1)]


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    """On SQLite every connection uses the write-ahead log, syncs it on commit, and checks foreign keys."""
    database = Database(sqlite_url(tmp_path / "state.db"))
    with database.read() as one, database.read() as another:
        for tx in (one, another):
            settings = [tx.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous")]
            assert settings == ["wal", 2]
            assert tx.exec_driver_sql("pragma foreign_keys").scalar() == 1
    database.close()


def test_the_time_is_the_clocks_on_sqlite_and_the_servers_on_postgresql(database: Database) -> None:
    """A file's time is the clock that was passed in; on PostgreSQL all replicas have the server's."""
    other = Database(database.url.render_as_string(hide_password=False), clock=lambda: 5.0)
    with other.read() as tx, database.read() as reference:
        ours, real = other.now(tx), database.now(reference)
    other.close()

    assert ours == 5.0 if database.is_sqlite else abs(ours - real) < 5


def test_what_was_committed_survives_kill_9(database: Database) -> None:
    """A process that is killed right after its commit has stored; one that is killed before has not."""
    url = database.url.render_as_string(hide_password=False)
    killed = multiprocessing.get_context("spawn").Process(target=_store_and_die, args=(url,))
    killed.start()
    killed.join(60)

    assert killed.exitcode == -signal.SIGKILL
    assert [row[2] for row in contents(database)["notification"]] == ['[{"number": 1}]']


def test_ids_can_be_typed() -> None:
    """An id is eight hexadecimal digits."""
    assert re.fullmatch("[0-9a-f]{8}", new_id())


def _store_and_die(url: str) -> None:
    database = Database(url)
    with database.write() as tx:
        notifications.store(tx, NOW, [{"number": 1}], 0)
    with database.write() as tx:
        notifications.store(tx, NOW, [{"number": 2}], 0)
        os.kill(os.getpid(), signal.SIGKILL)
