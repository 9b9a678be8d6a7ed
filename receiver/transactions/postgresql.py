"""Whether a transaction that has written is open in a PostgreSQL database."""

from __future__ import annotations

import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from receiver.durations import in_words
from receiver.errors import TransactionsError
from receiver.secret import SecretFile

if TYPE_CHECKING:
    import psycopg

# One that has only read loses nothing when it is broken off, so only those with a transaction id count.
_OPEN = """
    select pid, usename, application_name, state, extract(epoch from clock_timestamp() - xact_start)::float8
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        and backend_xid is not null and xact_start < clock_timestamp() - make_interval(secs => %s)
    order by xact_start
"""
_PREPARED = """
    select gid, owner, extract(epoch from clock_timestamp() - prepared)::float8
    from pg_prepared_xacts
    where database = current_database() and prepared < clock_timestamp() - make_interval(secs => %s)
    order by prepared
"""
_HIDDEN = "select count(*) from pg_stat_activity where datname = current_database() and backend_type is null"


class PostgresqlTransactions:
    """One database, its connection string in a file; `older_than` and `timeout` are in seconds."""

    def __init__(self, url: SecretFile, older_than: float, timeout: float) -> None:
        self._url = url
        self._older_than = older_than
        self._timeout = timeout

    def pending(self) -> tuple[str, ...]:
        """A sentence for each transaction open for longer; raises TransactionsError where that cannot be seen."""
        with self._connection() as connection:
            (hidden,) = connection.execute(_HIDDEN).fetchone() or (0,)
            if hidden:
                user = connection.info.user
                raise TransactionsError(f"PostgreSQL hides the transactions of others; grant pg_monitor to {user}")
            found = connection.execute(_OPEN, (self._older_than,)).fetchall()
            prepared = connection.execute(_PREPARED, (self._older_than,)).fetchall()
        return (*map(_as_open, found), *map(_as_prepared, prepared))

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            import psycopg  # noqa: PLC0415 - the extra `postgresql` may not be installed
        except ImportError as error:
            raise TransactionsError("psycopg is not installed; install rollback-agent[postgresql]") from error
        try:
            url = self._url.reveal()
            parameters = psycopg.conninfo.conninfo_to_dict(url)
        except (OSError, ValueError) as error:
            raise TransactionsError(f"the connection string cannot be read: {error}") from error
        except psycopg.Error:  # its text repeats what it could not read, and that holds a password
            raise TransactionsError("the file of the connection string holds none that libpq can read") from None
        if "@" in str(parameters.get("host", "")) or not str(parameters.get("port", 0)).replace(",", "").isdigit():
            # What stands in the wrong place may be a part of the password, and an error would repeat it.
            raise TransactionsError("an @, : or / in the password of a connection string is written %40, %3A or %2F")
        whole = psycopg.conninfo.make_conninfo(url, connect_timeout=math.ceil(self._timeout))
        try:
            with psycopg.connect(whole, autocommit=True) as connection:
                hang_up = threading.Timer(self._timeout, _hang_up, (connection.fileno(),))
                hang_up.start()
                try:
                    yield connection
                finally:
                    hang_up.cancel()
        except psycopg.Error as error:
            raise TransactionsError(f"PostgreSQL cannot be asked: {' '.join(str(error).split())}") from error


def _as_open(row: tuple[Any, ...]) -> str:
    pid, user, application, state, age = row
    who = f"PostgreSQL process {pid} of {user} ({application or 'unnamed'}), {state}"
    return f"{who}: a transaction has been open for {in_words(age)}"


def _as_prepared(row: tuple[Any, ...]) -> str:
    name, owner, age = row
    return f"PostgreSQL: {owner}'s transaction {name} was prepared {in_words(age)} ago"


def _hang_up(connection: int) -> None:
    """Who waits for an answer on it gets an error: neither libpq nor psycopg limits how long an answer may take."""
    with socket.socket(fileno=os.dup(connection)) as line:
        line.shutdown(socket.SHUT_RDWR)
