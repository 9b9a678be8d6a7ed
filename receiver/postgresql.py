"""Connects to a PostgreSQL database by a connection string from a file, so that no error can repeat its password."""

from __future__ import annotations

import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from receiver.errors import PostgresqlError
from receiver.redaction.known import known_secrets
from receiver.secret import SecretFile

if TYPE_CHECKING:
    import psycopg


def for_programs(url: SecretFile) -> tuple[str, dict[str, str]]:
    """What connects one of PostgreSQL's own programs; raises PostgresqlError.

    That is a connection string without secrets, since everybody may see a program's arguments, and an environment.
    """
    parameters = parameters_of(url)
    if "sslpassword" in parameters:
        raise PostgresqlError("a program cannot be given an sslpassword in secret; use a client key without one")
    parameters.pop("application_name", None)  # a program says its own
    password = parameters.pop("password", None)
    environment = {} if password is None else {"PGPASSWORD": password}
    return str(require_psycopg().conninfo.make_conninfo("", **parameters)), environment


@contextmanager
def connected(url: SecretFile, timeout: float) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose every use together may take `timeout` seconds; raises PostgresqlError, also for its body's."""
    library = require_psycopg()
    limited = parameters_of(url) | {"connect_timeout": str(math.ceil(timeout))}
    whole = library.conninfo.make_conninfo("", **limited)
    try:
        with library.connect(whole, autocommit=True) as connection:
            hang_up = threading.Timer(timeout, _hang_up, (connection.fileno(),))
            hang_up.start()
            try:
                yield connection
            finally:
                hang_up.cancel()
    except library.Error as error:
        raise PostgresqlError(f"PostgreSQL cannot be asked: {' '.join(str(error).split())}") from error


def parameters_of(url: SecretFile) -> dict[str, str]:
    """What the connection string in a file says, by libpq's names; raises PostgresqlError."""
    try:
        text = url.reveal()
    except (OSError, ValueError) as error:
        raise PostgresqlError(f"the connection string cannot be read: {error}") from error
    return parameters_in(text)


def parameters_in(text: str) -> dict[str, str]:
    """What a connection string says, by libpq's names; raises PostgresqlError."""
    library = require_psycopg()
    try:
        parameters = library.conninfo.conninfo_to_dict(text)
    except library.Error:  # its text repeats what it could not read, and that holds a password
        raise PostgresqlError("the file of the connection string holds none that libpq can read") from None
    if "@" in str(parameters.get("host", "")) or not str(parameters.get("port", 0)).replace(",", "").isdigit():
        # What stands in the wrong place may be a part of the password, and an error would repeat it.
        raise PostgresqlError("an @, : or / in the password of a connection string is written %40, %3A or %2F")
    told = {name: str(value) for name, value in parameters.items() if value is not None}
    known_secrets.remember(told.get("password", "").encode())
    return told


def require_psycopg() -> Any:
    """The library; raises PostgresqlError where it is not installed."""
    try:
        import psycopg  # noqa: PLC0415 - the extra `postgresql` may not be installed
    except ImportError as error:
        raise PostgresqlError("psycopg is not installed; install rollback-agent[postgresql]") from error
    return psycopg


def _hang_up(connection: int) -> None:
    """Who waits for an answer on it gets an error: neither libpq nor psycopg limits how long an answer may take."""
    with socket.socket(fileno=os.dup(connection)) as line:
        line.shutdown(socket.SHUT_RDWR)
