"""Keeps a PostgreSQL database as an archive of `pg_dump`, which is read back whole by `pg_restore`."""

from __future__ import annotations

import re
from pathlib import Path

from receiver.backup.client import Client
from receiver.backup.contents import Kind
from receiver.errors import BackupError, PostgresqlError
from receiver.postgresql import connected, for_programs
from receiver.secret import SecretFile

PATIENCE = 5.0
"""Seconds for a question to the server; a dump has the source's own time-out."""


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
        archive = directory / f"{self.name}.dump"
        try:
            connection, environment = for_programs(self._url)
            dump = ("--format=custom", "--no-password", f"--file={archive}", f"--dbname={connection}")
            self._client.run((self._client.path("pg_dump"), *dump), environment)
            self._read_back(archive)
        except (BackupError, PostgresqlError) as error:
            raise BackupError(f"{self._told}: {error}") from error

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
