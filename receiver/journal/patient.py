"""Connections to a journal in PostgreSQL: none of them waits for ever, and none lets a commit be forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

import psycopg

CONNECT = 3
"""Seconds that connecting may take, for each address."""
ANSWER = 4.0
"""Seconds after which a connection is given up that does not answer, whatever holds it up."""
STATEMENT, LOCK = 3.0, 2.5
"""Seconds after which PostgreSQL itself ends a statement, or its wait for what another holds."""
IDLE = 10.0
"""Seconds after which PostgreSQL ends a transaction of a program that was paused in it, and frees what it holds."""

_DEFAULTS = {
    "application_name": "rollback-agent",
    "connect_timeout": str(CONNECT),
    "target_session_attrs": "read-write",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
"""What a connection string need not say; of libpq's own defaults some wait for hours."""
_SET_UP = """
    select set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),
        set_config('idle_in_transaction_session_timeout', %s, false),
        set_config('synchronous_commit', case current_setting('synchronous_commit')
            when 'off' then 'on' else current_setting('synchronous_commit') end, false)
"""


class PatientConnection(psycopg.Connection[Any]):
    """A connection of which each question is answered within `patience` seconds, or it is closed.

    The limits of PostgreSQL are no use where the server or the way to it hangs, and libpq has none for an answer.
    """

    patience: float = ANSWER

    def wait(self, gen: Generator[Any, Any, Any], *limits: Any, **named: Any) -> Any:
        """What `gen` gives; raises OperationalError where that takes too long."""
        return super().wait(self._within(gen, time.monotonic() + self.patience), *limits, **named)

    def _within(self, gen: Generator[Any, Any, Any], end: float) -> Generator[Any, Any, Any]:
        # psycopg looks ten times a second whether it was interrupted, and then asks the generator too.
        try:
            state = next(gen)
            while True:
                ready = yield state
                if time.monotonic() > end:
                    self.pgconn.finish()  # what may still come is the answer to a question that nobody asks any more
                    raise psycopg.OperationalError(f"PostgreSQL has not answered for {self.patience:g} s")
                state = gen.send(ready)
        except StopIteration as done:
            return done.value


def connect(parameters: Callable[[], Mapping[str, str]]) -> PatientConnection:
    """A new connection with libpq's `parameters`, which are asked for each time: a secret may have been rotated."""
    wanted = psycopg.conninfo.make_conninfo("", **(_DEFAULTS | dict(parameters())))
    connection = PatientConnection.connect(wanted, autocommit=True)
    try:
        connection.execute(_SET_UP, [f"{limit * 1000:.0f}" for limit in (STATEMENT, LOCK, IDLE)])
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection
