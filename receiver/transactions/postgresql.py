"""Whether a transaction that has written is open in a PostgreSQL database."""

from __future__ import annotations

from typing import Any

from receiver.durations import in_words
from receiver.errors import PostgresqlError, TransactionsError
from receiver.postgresql import connected
from receiver.secret import SecretFile

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
        try:
            with connected(self._url, self._timeout) as connection:
                (hidden,) = connection.execute(_HIDDEN).fetchone() or (0,)
                if hidden:
                    user = connection.info.user
                    raise TransactionsError(f"PostgreSQL hides the transactions of others; grant pg_monitor to {user}")
                found = connection.execute(_OPEN, (self._older_than,)).fetchall()
                prepared = connection.execute(_PREPARED, (self._older_than,)).fetchall()
        except PostgresqlError as error:
            raise TransactionsError(str(error)) from error
        return (*map(_as_open, found), *map(_as_prepared, prepared))


def _as_open(row: tuple[Any, ...]) -> str:
    pid, user, application, state, age = row
    who = f"PostgreSQL process {pid} of {user} ({application or 'unnamed'}), {state}"
    return f"{who}: a transaction has been open for {in_words(age)}"


def _as_prepared(row: tuple[Any, ...]) -> str:
    name, owner, age = row
    return f"PostgreSQL: {owner}'s transaction {name} was prepared {in_words(age)} ago"
