"""Keeps a PostgreSQL database as an archive of `pg_dump`, which is read back whole by `pg_restore`."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

from receiver.backup.client import Client
from receiver.backup.contents import Kind
from receiver.errors import BackupError, PostgresqlError, RestoreError
from receiver.postgresql import connected, for_programs
from receiver.secret import SecretFile

PATIENCE = 5.0
"""Seconds for a question to the server; a dump has the source's own time-out."""
_IN_THE_WAY = """
    select distinct pid, usename, application_name
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
        and relation >= 16384 and pid <> pg_backend_pid() and backend_type = 'client backend'
    order by pid
"""
"""Who holds a table that is not the system's own. An archive waits for such a one without end: it says so itself."""
_END = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s"


class PostgresqlSource:
    """One database, by libpq's connection string in a file."""

    kind = Kind.POSTGRESQL

    def __init__(self, name: str, url: SecretFile, client: Client) -> None:
        self.name = name
        self._url = url
        self._client = client

    def size(self) -> int:
        """The bytes of the database, more than its archive takes; raises BackupError where it could not be dumped."""
        try:
            own = self._version()
            with connected(self._url, PATIENCE) as connection:
                (size,) = connection.execute("select pg_database_size(current_database())").fetchone() or (0,)
                server = connection.info.server_version // 10000
        except (BackupError, PostgresqlError) as error:
            raise BackupError(f"{self._told}: {error}") from error
        if server > own:
            raise BackupError(
                f"{self._told}: the server is PostgreSQL {server}, and pg_dump of {own} cannot dump it; "
                f"install postgresql-client-{server}, or name its directory in `programs`"
            )
        return int(size)

    def save(self, directory: Path) -> None:
        """Dump it to an archive below `directory` and read all of that back; raises BackupError and OSError."""
        archive = self._archive(directory)
        try:
            connection, environment = for_programs(self._url)
            dump = ("--format=custom", "--no-password", f"--file={archive}", f"--dbname={connection}")
            self._client.run((self._client.path("pg_dump"), *dump), environment)
            self._read_back(archive)
        except (BackupError, PostgresqlError) as error:
            raise BackupError(f"{self._told}: {error}") from error

    def steps(self, directory: Path, _stamp: str) -> tuple[str, ...]:
        """What `restore` would do."""
        argv, _ = self._restore(directory)
        return (f"run {shlex.join(argv)}", "all of it in one transaction; what came later and is not in it stays")

    def restore(self, directory: Path, stamp: str) -> str:
        """Put the archive back in one transaction: all of it, or nothing; raises RestoreError."""
        session = {"PGAPPNAME": f"rollback-agent restore {stamp}"}
        try:
            argv, environment = self._restore(directory)
            self._require_nobody_in_the_way()
            self._client.run(argv, environment | session)
        except (BackupError, PostgresqlError) as error:
            with suppress(PostgresqlError), connected(self._url, PATIENCE) as connection:
                # Where its program was ended, it would go on to wait, and keep others waiting.
                connection.execute(_END, tuple(session.values()))
            raise RestoreError(f"{self._told} is as it was: {error}") from error
        return f"{self._told} is restored"

    def _require_nobody_in_the_way(self) -> None:
        with connected(self._url, PATIENCE) as connection:
            found = connection.execute(_IN_THE_WAY).fetchall()
        if found:
            who = ", ".join(f"process {pid} of {user} ({name or 'unnamed'})" for pid, user, name in found)
            raise BackupError(f"its tables are in use by {who}; stop that first")

    def _restore(self, directory: Path) -> tuple[tuple[str, ...], dict[str, str]]:
        try:
            connection, environment = for_programs(self._url)
        except PostgresqlError as error:
            raise BackupError(f"{self._told}: {error}") from error
        how = ("--clean", "--if-exists", "--single-transaction", "--no-password", f"--dbname={connection}")
        argv = (self._client.path("pg_restore"), *how, str(self._archive(directory)))
        return argv, environment

    def _archive(self, directory: Path) -> Path:
        return directory / f"{self.name}.dump"

    def _read_back(self, archive: Path) -> None:
        # The list stands at the front: it alone says nothing of data that are cut off. To nowhere, all are read.
        program = self._client.path("pg_restore")
        self._client.run((program, "--list", str(archive)), write=archive.with_suffix(".list"))
        self._client.run((program, "--file=/dev/null", str(archive)))

    def _version(self) -> int:
        said = self._client.run((self._client.path("pg_dump"), "--version"))
        found = re.search(r"\(PostgreSQL\) (\d+)", said)
        if found is None:
            raise BackupError(f"pg_dump --version says {said!r}, which names no version")
        return int(found[1])

    @property
    def _told(self) -> str:
        return f"the PostgreSQL database {self.name}"
