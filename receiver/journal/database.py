"""Opens the journal's database and hands out its transactions, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from receiver.errors import JournalError, PostgresqlError
from receiver.journal.moments import Moment, since_boot
from receiver.journal.sqlite_file import SqliteFile
from receiver.postgresql import parameters_in, parameters_of, require_psycopg
from receiver.secret import SecretFile

Insert = sqlite.Insert | postgresql.Insert

_POSTGRESQL = "postgresql+psycopg://"
_CONNECTIONS, _IN_A_RUSH = 5, 10
"""To PostgreSQL, of one replica: a server takes 100 unless it is told otherwise, and three replicas must fit."""
_QUEUE = 3.0
"""Seconds that one waits for a connection that others use."""
PATIENCE = 30.0
"""Seconds that a person's command waits for another one to write."""


class Database:
    """One journal. `clock` tells the time (Unix seconds), and `since_boot` checks it, where it is a local file.

    Of PostgreSQL `parameters` gives libpq's, where they do not stand in `url`. In a file a writer waits `patience`
    seconds for others.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.time,
        since_boot: Callable[[], tuple[str, float] | None] = lambda: None,
        parameters: Callable[[], Mapping[str, str]] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._clock = clock
        self._since_boot = since_boot
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.file = SqliteFile(Path(self.url.database or ""), patience) if self.is_sqlite else None
        self.engine = self.file.engine if self.file else _postgresql(parameters or partial(_stated, self.url))

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits as a whole; raises JournalError when the database does not."""
        with self._turn(), self._journal_errors(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; on SQLite it waits for no writer."""
        options: dict[str, Any] = {"rollback_agent_reads": True}
        if not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"  # else each statement would see another moment
        with self._journal_errors(), self.engine.connect().execution_options(**options) as tx, tx.begin():
            yield tx

    def now(self, tx: sa.Connection) -> Moment:
        """The time that all replicas agree on (Unix seconds)."""
        if self.is_sqlite:
            return Moment(self._clock(), *(self._since_boot() or ()))
        return Moment(tx.execute(sa.text("select extract(epoch from clock_timestamp())")).scalar_one())

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _turn(self) -> AbstractContextManager[None]:
        return self.file.turn() if self.file else nullcontext()

    @contextmanager
    def _journal_errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, PostgresqlError) as error:
            why = " ".join(str(getattr(error, "orig", None) or error).split())
            where = f"{self.file.path}: " if self.file else ""
            raise JournalError(f"the journal's database failed: {where}{why}") from error


def open_database(
    root: Path,
    clock: Callable[[], float] = time.time,
    postgresql: SecretFile | None = None,
    patience: float = PATIENCE,
) -> Database:
    """The journal: in PostgreSQL, or the file below the receiver's root; nothing is created or migrated yet."""
    if postgresql is not None:
        return Database(_POSTGRESQL, clock, parameters=partial(parameters_of, postgresql))
    return Database(sqlite_url(root / "state.db"), clock, since_boot, patience=patience)


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
def let_take(tx: sa.Connection, seconds: float) -> Iterator[None]:
    """Let what is asked of PostgreSQL in this transaction take longer than an answer may; a file has no such limits."""
    if tx.dialect.name == "sqlite":
        yield
        return
    connection: Any = tx.connection.dbapi_connection
    usual = connection.patience
    connection.patience = seconds
    try:
        for limit in ("statement_timeout", "lock_timeout"):
            tx.exec_driver_sql(f"set local {limit} = {seconds * 1000:.0f}")
        yield
    finally:
        connection.patience = usual


def _postgresql(parameters: Callable[[], Mapping[str, str]]) -> sa.Engine:
    require_psycopg()
    from receiver.journal.patient import connect  # noqa: PLC0415 - needs psycopg

    return sa.create_engine(
        _POSTGRESQL,
        creator=partial(connect, parameters),
        pool_size=_CONNECTIONS,
        max_overflow=_IN_A_RUSH,
        pool_timeout=_QUEUE,
        pool_pre_ping=True,
    )


def _stated(url: sa.URL) -> Mapping[str, str]:
    """What a URL says, as libpq's parameters."""
    return parameters_in(url.set(drivername="postgresql").render_as_string(hide_password=False))
