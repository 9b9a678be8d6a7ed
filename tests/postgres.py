"""A real PostgreSQL on a Unix socket of its own, for tests; one server, any number of empty journals."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from demo.processes import Process, wait_until

FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""The tests kill its clients, never the server, so nothing here has to survive a power cut."""


def server_binaries() -> Path | None:
    """The directory of the newest installed PostgreSQL server's programs, as Debian lays them out, or of PATH's."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return installed[-1].parent if installed else Path(on_path).resolve().parent if on_path else None


class Postgres:
    """A running server; `stop` ends it and removes everything that it kept."""

    def __init__(self, binaries: Path) -> None:
        # Not below pytest's directory: that is private to root, and a socket's path must be short.
        self._directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self._numbers = itertools.count()
        self._as_owner: tuple[str, ...] = ()
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self._directory, owner.pw_uid, owner.pw_gid)
            user = (f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--init-groups")
            self._as_owner = ("/usr/bin/setpriv", *user)
        data = self._directory / "data"
        initdb = (binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        subprocess.run((*self._as_owner, *initdb), check=True, capture_output=True, cwd="/")
        self._program: tuple[str | Path, ...] = (
            *(self._as_owner or ("/usr/bin/setpriv",)), "--pdeathsig", "INT", "--",
            binaries / "postgres", "-D", data, "-k", self._directory,
            "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "max_prepared_transactions=5",
            *FAST,
        )  # fmt: skip
        self._process = self._start()
        self._admin = sa.create_engine(self._url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._process.await_ready(self._answers)

    def new_database(self) -> str:
        """The URL of a new, empty journal."""
        # A schema of its own is as separate as a database, and takes a hundredth of the time to make.
        name = f"test_{next(self._numbers)}"
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"create schema {name}")
        return self._url(options=f"-csearch_path={name}")

    def connection_string(self) -> str:
        """How libpq reaches the server."""
        return self.new_database().replace("postgresql+psycopg://", "postgresql://").partition("&options")[0]

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self._directory / ".s.PGSQL.5432"

    def cut_all(self) -> int:
        """End every connection but this one; how many there were."""
        cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid()"
        with self._admin.connect() as connection:
            return int(connection.exec_driver_sql(f"{cut} and backend_type = 'client backend'").scalar_one())

    def restart(self) -> None:
        """End the server at once, whoever is still connected, and start it again."""
        self._end()
        self._process = self._start().await_ready(self._answers)

    def stop(self) -> None:
        """End the server at once, whoever is still connected, and remove what it kept."""
        self._end()
        shutil.rmtree(self._directory)

    def _start(self) -> Process:
        return Process(self._program, self._directory / "log", cwd=Path("/"), die_with_parent=False)

    def _end(self) -> None:
        self._process.signal(signal.SIGINT)
        wait_until(lambda: not self._process.running, 60)
        self._process.stop()

    def _url(self, **options: str) -> str:
        query = {"host": str(self._directory), **options}
        return sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query=query).render_as_string()

    def _answers(self) -> bool:
        try:
            with self._admin.connect():
                return True
        except sa.exc.OperationalError:
            return False


def through(url: str, port: int) -> str:
    """The same journal, reached through a port of this machine."""
    asked = sa.make_url(url).difference_update_query(["host"]).set(host="127.0.0.1", port=port)
    return asked.render_as_string(hide_password=False)


@contextmanager
def running_server() -> Iterator[Postgres]:
    """A PostgreSQL of one's own; where it is not installed, the test is skipped."""
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed")
    server = Postgres(binaries)
    try:
        yield server
    finally:
        server.stop()
