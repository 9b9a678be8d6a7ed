"""A journal in PostgreSQL fails soon where it cannot answer, works again by itself, and never forgets a commit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.errors import JournalError
from receiver.journal import counts
from receiver.journal.database import Database, let_take, open_database
from receiver.journal.patient import ANSWER, CONNECT, LOCK
from receiver.journal.schema import migrate
from receiver.secret import SecretFile
from tests.postgres import Postgres, through
from tests.receiver.journal.rows import counted
from tests.wire import Wire, wire

MUCH = 30.0
"""Seconds; far more than any limit, and far less than what libpq waits by itself."""


@pytest.fixture
def journal(postgres: Postgres) -> Iterator[Database]:
    """A journal that is reached as serve reaches it."""
    database = Database(postgres.new_database())
    migrate(database)
    yield database
    database.close()


@contextmanager
def behind_a_wire(postgres: Postgres) -> Iterator[tuple[Database, Wire]]:
    """A journal, and the way to it."""
    with ExitStack() as stack:
        way = stack.enter_context(wire(postgres.socket))
        database = Database(through(postgres.new_database(), way.port))
        stack.callback(database.close)
        migrate(database)
        yield database, way


def bump(database: Database) -> None:
    """Write something."""
    with database.write() as tx:
        counts.bump(tx, "runs", deployment="qrl")


def test_a_server_that_hangs_is_an_error_in_time(postgres: Postgres) -> None:
    """Both on a connection that is there and on a new one; once it answers again, so does the journal."""
    with behind_a_wire(postgres) as (database, way):
        bump(database)
        way.hold()
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(JournalError, match="the journal's database failed: "):
                bump(database)
        assert time.monotonic() - began < MUCH
        way.release()
        bump(database)
        assert counted(database, "runs") == [({"deployment": "qrl"}, 2)]


def test_a_server_that_hangs_in_a_transaction_is_an_error_in_time(postgres: Postgres) -> None:
    """The connection is given up, so what was written in the transaction is gone."""

    def bump_twice(database: Database, way: Wire) -> None:
        with database.write() as tx:
            counts.bump(tx, "runs", deployment="qrl")
            way.hold()
            counts.bump(tx, "runs", deployment="qrl")

    with behind_a_wire(postgres) as (database, way):
        began = time.monotonic()
        with pytest.raises(JournalError, match=f"has not answered for {ANSWER:g} s"):
            bump_twice(database, way)
        assert time.monotonic() - began < MUCH
        way.release()
        assert counted(database, "runs") == []


def test_connections_that_were_cut_are_made_anew(journal: Database) -> None:
    """Nobody notices that PostgreSQL ended all that were not in use."""
    bump(journal)
    with journal.read() as tx:
        own = tx.exec_driver_sql("select pg_backend_pid()").scalar_one()
    other = Database(journal.url.render_as_string(hide_password=False))
    with other.write() as tx:
        assert tx.execute(sa.select(sa.func.pg_terminate_backend(own))).scalar_one()
    other.close()
    bump(journal)
    assert counted(journal, "runs") == [({"deployment": "qrl"}, 2)]


def test_what_another_holds_is_waited_for_and_then_is_an_error(journal: Database) -> None:
    """A program that was stopped in the middle of a transaction must not stop all others with it."""
    other = Database(journal.url.render_as_string(hide_password=False))
    bump(journal)
    began = time.monotonic()
    with other.write() as tx:
        counts.bump(tx, "runs", deployment="qrl")
        with pytest.raises(JournalError, match="lock timeout"):
            bump(journal)
    other.close()
    assert LOCK <= time.monotonic() - began < MUCH


def test_a_commit_is_on_disk_whatever_the_server_is_told(journal: Database) -> None:
    """The server of the tests answers before it has stored; for a journal it does not."""
    with journal.read() as tx:
        assert tx.exec_driver_sql("show synchronous_commit").scalar_one() == "on"
        assert tx.exec_driver_sql(
            "select reset_val from pg_settings where name = 'synchronous_commit'"
        ).scalar_one() == ("off")


def test_a_migration_may_take_longer_and_the_next_answer_may_not(journal: Database) -> None:
    """Replicas that start together wait for the one that migrates."""
    with journal.write() as tx, let_take(tx, 60.0):
        raw = tx.connection.dbapi_connection
        assert raw is not None
        assert raw.patience == 60.0
        assert tx.exec_driver_sql("show lock_timeout").scalar_one() == "1min"
    assert raw.patience == ANSWER
    with journal.read() as tx:
        assert tx.exec_driver_sql("show lock_timeout").scalar_one() == f"{LOCK * 1000:.0f}ms"


def test_the_connection_string_is_read_for_each_connection(tmp_path: Path, postgres: Postgres) -> None:
    """A file that names no server is an error without its password; once it is mended, the same journal works."""
    file = tmp_path / "url"
    file.write_text("postgresql://ada:hunter2@127.0.0.1:1/qrl")
    file.chmod(0o600)
    database = open_database(tmp_path, postgresql=SecretFile(file))
    began = time.monotonic()
    with pytest.raises(JournalError, match=r"failed: .*refused") as raised:
        migrate(database)
    assert "hunter2" not in str(raised.value)
    assert time.monotonic() - began < MUCH + CONNECT
    file.write_text(postgres.new_database().replace("postgresql+psycopg", "postgresql"))
    migrate(database)
    bump(database)
    database.close()
