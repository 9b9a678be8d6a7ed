"""Opens the journal's database and hands out its transactions, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from receiver.errors import JournalError
from receiver.journal.moments import Moment, since_boot

Insert = sqlite.Insert | postgresql.Insert


class Database:
    """One journal. `clock` tells the time (Unix seconds), and `since_boot` checks it, where it is a local file."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.time,
        since_boot: Callable[[], tuple[str, float] | None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._since_boot = since_boot
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sa.create_engine(self.url, pool_size=16, max_overflow=16, pool_pre_ping=not self.is_sqlite)
        # SQLite has one writer and lets the others sleep and try again; our own threads had better queue.
        self._writer: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits as a whole; raises JournalError when the database does not."""
        with self._writer, _journal_errors(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; on SQLite it waits for no writer."""
        options: dict[str, Any] = {"rollback_agent_reads": True}
        if not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"  # else each statement would see another moment
        with _journal_errors(), self.engine.connect().execution_options(**options) as tx, tx.begin():
            yield tx

    def now(self, tx: sa.Connection) -> Moment:
        """The time that all replicas agree on (Unix seconds)."""
        if self.is_sqlite:
            return Moment(self._clock(), *(self._since_boot() or ()))
        return Moment(tx.execute(sa.text("select extract(epoch from clock_timestamp())")).scalar_one())

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(root: Path, clock: Callable[[], float] = time.time) -> Database:
    """The journal below the receiver's root directory; nothing is created or migrated yet."""
    return Database(sqlite_url(root / "state.db"), clock, since_boot)


def sqlite_url(path: Path) -> str:
    """The database URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def new_id() -> str:
    """A new id, short enough to be typed: 8 hexadecimal digits; ids are primary keys, so a clash is an error."""
    return secrets.token_hex(4)


def insert(tx: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def insert_new(tx: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert `row` unless one of its keys is there; returns whether it was inserted."""
    # RETURNING, because not every driver counts the rows of an INSERT.
    statement = insert(tx, table).values(row).on_conflict_do_nothing().returning(sa.literal(1))
    return tx.execute(statement).first() is not None


@contextmanager
def _journal_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalError(f"the journal's database failed: {getattr(error, 'orig', None) or error}") from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: the driver's own comes too late to lock
    connection.execute("PRAGMA busy_timeout=30000")
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_write_ahead_log(connection: Any) -> None:
    # Two programs that do this to a new file at once are in each other's way; SQLite then fails, timeout or not.
    for left in reversed(range(20)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(0.05)
        else:
            return


def _begin_sqlite(tx: sa.Connection) -> None:
    # A writer takes the lock at once: read-then-write in a deferred transaction fails when another wrote between.
    reads = tx.get_execution_options().get("rollback_agent_reads", False)
    tx.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
