"""Open transactions of a real PostgreSQL."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from receiver.errors import TransactionsError
from receiver.secret import SecretFile
from receiver.transactions.postgresql import PostgresqlTransactions
from tests.postgres import running_server

Pending = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server's connection string, as libpq reads it."""
    with running_server() as server:
        yield server.connection_string()


@pytest.fixture
def pending(tmp_path: Path, url: str) -> Pending:
    """What is found with a connection string; by default it is the superuser's, and any age is too old."""

    def ask(text: str = url, older_than: float = 0.0, timeout: float = 5.0, mode: int = 0o600) -> tuple[str, ...]:
        file = tmp_path / "url"
        file.write_text(text)
        file.chmod(mode)
        return PostgresqlTransactions(SecretFile(file), older_than, timeout).pending()

    return ask


@pytest.fixture
def session(url: str) -> Iterator[psycopg.Connection]:
    """A service that uses the database, in a transaction of its own."""
    with psycopg.connect(url, application_name="shop", autocommit=True) as connection:
        connection.execute("create table if not exists node (text text)")
        connection.execute("begin")
        yield connection


def test_a_transaction_that_has_written_is_told(session: psycopg.Connection, pending: Pending) -> None:
    """It is told whose it is, what it does and for how long, until it ends."""
    session.execute("insert into node values ('x')")
    (told,) = pending()
    who = f"PostgreSQL process {session.info.backend_pid} of postgres (shop), idle in transaction"
    assert told.startswith(f"{who}: a transaction has been open for 0:00:0")
    session.execute("commit")
    assert pending() == ()


def test_a_reader_is_none(session: psycopg.Connection, pending: Pending) -> None:
    """A transaction that has only read loses nothing when it is broken off."""
    session.execute("select count(*) from node")
    assert pending() == ()


def test_a_short_transaction_is_none(session: psycopg.Connection, pending: Pending) -> None:
    """One that is not as old as configured does not count yet."""
    session.execute("insert into node values ('x')")
    assert pending(older_than=60) == ()


def test_a_prepared_transaction_is_told(session: psycopg.Connection, pending: Pending) -> None:
    """One that waits for its second phase holds its locks without any session."""
    session.execute("insert into node values ('x')")
    session.execute("prepare transaction 'transfer 7'")
    (told,) = pending()
    session.execute("rollback prepared 'transfer 7'")
    assert told.startswith("PostgreSQL: postgres's transaction transfer 7 was prepared 0:00:0")
    assert pending() == ()


def test_who_may_not_see_the_others_does_not_know(session: psycopg.Connection, url: str, pending: Pending) -> None:
    """A user without the right is an error that names it and the right; with it, the transaction is told."""
    own = url.replace("postgres@", "watcher@")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("create role watcher login")
        session.execute("insert into node values ('x')")
        with pytest.raises(TransactionsError, match="hides the transactions of others; grant pg_monitor to watcher"):
            pending(own)
        admin.execute("grant pg_monitor to watcher")
        assert len(pending(own)) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("postgresql://hunter2:hunter2@127.0.0.1:1/qrl", "PostgreSQL cannot be asked: .*refused"),
        ("postgresql://ada:hunter2@hunter2@127.0.0.1:1/qrl", "an @, : or / in the password"),
        ("postgresql://ada:hunter2/x@127.0.0.1:1/qrl", "an @, : or / in the password of a connection string is .* %2F"),
        ("this is hunter2 no connection string", "holds none that libpq can read"),
        ("hunter2", "the secret is shorter than 16 characters"),
    ],
)
def test_what_cannot_be_asked_is_an_error_without_the_password(pending: Pending, text: str, reason: str) -> None:
    """Nobody there, or no connection string: a sentence says so and repeats no password."""
    with pytest.raises(TransactionsError, match=reason) as raised:
        pending(text)
    assert "hunter2" not in str(raised.value).replace('user "hunter2"', "")


def test_a_file_that_others_may_read_is_not_used(pending: Pending) -> None:
    """A connection string is a secret."""
    with pytest.raises(TransactionsError, match="others may read it; run: chmod 600"):
        pending(mode=0o644)


def test_a_server_that_stops_to_answer_is_an_error_in_time(url: str, pending: Pending) -> None:
    """Once connected, an answer that does not come ends with the time limit."""
    directory = url.partition("host=")[2].replace("%2F", "/")
    with _swallowing(Path(directory) / ".s.PGSQL.5432", b"pg_stat_activity") as port:
        began = time.monotonic()
        with pytest.raises(TransactionsError, match="PostgreSQL cannot be asked: "):
            pending(f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable", timeout=0.5)
        assert time.monotonic() - began < 30


class _swallowing:  # noqa: N801 - used as a function
    """A port that passes everything on to a Unix socket until a client says `word`; from then on it is silent."""

    def __init__(self, server: Path, word: bytes) -> None:
        self._server, self._word = server, word
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> int:
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()
        with client, server, suppress(OSError):
            while (said := client.recv(65536)) and self._word not in said:
                server.sendall(said)
            client.recv(1)  # until the client hangs up

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while said := server.recv(65536):
                client.sendall(said)
