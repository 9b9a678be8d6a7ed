"""Open transactions of real SQLite files, in each way in which SQLite keeps its journal."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from receiver.errors import TransactionsError
from receiver.transactions.sqlite import SqliteTransactions

PATIENCE = 0.3


@pytest.fixture(params=["delete", "truncate", "persist", "wal"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database with one table of a thousand rows."""
    path = tmp_path / "qrl data?.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"pragma journal_mode={request.param}")
        database.execute("create table node (id integer primary key, text text)")
        database.executemany("insert into node (text) values (?)", [("x" * 500,)] * 1000)
    return path


@pytest.fixture
def writer(file: Path) -> Iterator[sqlite3.Connection]:
    """A service that uses the file."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0, check_same_thread=False)) as connection:
        yield connection


def pending(file: Path) -> tuple[str, ...]:
    return SqliteTransactions(file, PATIENCE).pending()


def test_none_is_open(file: Path, writer: sqlite3.Connection) -> None:
    """A file that is open and at rest has none, and looking leaves it as it was."""
    before = writer.execute("select count(*) from node").fetchone()
    assert (pending(file), pending(file)) == ((), ())
    writer.execute("insert into node (text) values ('y')")
    assert writer.execute("select count(*) from node").fetchone() == (before[0] + 1,)


@pytest.mark.parametrize("statement", ["begin immediate", "begin exclusive"])
def test_a_transaction_that_stays_open_is_told(file: Path, writer: sqlite3.Connection, statement: str) -> None:
    """Whoever holds the right to write for all the time is told of; once it is given back, nobody is."""
    writer.execute(statement)
    writer.execute("insert into node (text) values ('y')")
    assert pending(file) == (f"{file}: it has been locked by a transaction for 0.3 s",)
    writer.execute("commit")
    assert pending(file) == ()


def test_a_reader_is_none(file: Path, writer: sqlite3.Connection) -> None:
    """A transaction that has only read loses nothing."""
    writer.execute("begin")
    writer.execute("select count(*) from node").fetchone()
    assert pending(file) == ()


def test_a_short_transaction_is_waited_for(file: Path, writer: sqlite3.Connection) -> None:
    """One that ends in time is none."""
    writer.execute("begin immediate")
    threading.Timer(PATIENCE / 3, writer.execute, ("commit",)).start()
    assert pending(file) == ()


def test_a_busy_service_is_none(file: Path, writer: sqlite3.Connection) -> None:
    """Many short transactions, one after the other, are not one that stays open."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.002):
            writer.execute("begin immediate")
            writer.execute("update node set text = 'z' where id = 1")
            time.sleep(0.002)
            writer.execute("commit")

    writer.execute("pragma busy_timeout = 5000")
    service = threading.Thread(target=work)
    service.start()
    found = [pending(file) for _ in range(10)]
    done.set()
    service.join()
    assert found == [()] * 10


def _be_killed_in_a_transaction(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("pragma cache_size = 1")  # so that pages are written before the commit
    connection.execute("begin immediate")
    connection.execute("update node set text = hex(randomblob(250))")
    os._exit(9)


def test_an_interrupted_transaction_is_told_and_not_undone(file: Path) -> None:
    """What a killed service left half written is told of until somebody writes; in a write-ahead log it is void."""
    service = multiprocessing.get_context("spawn").Process(target=_be_killed_in_a_transaction, args=(file,))
    service.start()
    service.join()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        is_wal = (file.parent / f"{file.name}-wal").exists()
        assert database.execute("pragma schema_version").fetchone()
    if is_wal:
        assert pending(file) == ()
        return

    told = (f"{file}: a transaction was interrupted and is not undone yet",)
    assert (pending(file), pending(file)) == (told, told)

    with closing(sqlite3.connect(file)) as database:
        assert database.execute("select count(*) from node where text like 'xxx%'").fetchone() == (1000,)
    assert pending(file) == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "unable to open database file"), (b"this is no database " * 500, "file is not a database")],
)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A file that is not there, or is no database, is an error that names it; no file is made."""
    file = tmp_path / "other.db"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TransactionsError) as raised:
        pending(file)
    assert (str(raised.value), file.exists()) == (f"{file}: {reason}", content is not None)
