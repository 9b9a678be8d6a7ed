"""Keeps a MySQL or MariaDB database as a dump of its own client, which must have come to its last line."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from receiver.backup.client import Client
from receiver.backup.contents import Kind
from receiver.errors import BackupError, RestoreError

COMPLETED = b"-- Dump completed"
"""How the last line of a whole dump begins."""
LOCKED = 30
"""Seconds that putting a database back waits for a table that somebody else uses; the server's default is a day."""
_HOW = ("--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob", "--no-tablespaces")
_SIZE = (
    "select concat('size=', cast(coalesce(sum(data_length + index_length), 0) as unsigned)) "
    "from information_schema.tables where table_schema = database()"
)


class MysqlSource:
    """One database; host, user and password stand in a file as MySQL's own clients read it."""

    kind = Kind.MYSQL

    def __init__(self, name: str, options_file: Path, database: str, client: Client) -> None:
        self.name = name
        self._options_file = options_file
        self._database = database
        self._client = client

    def size(self) -> int:
        """The bytes of tables and indices; raises BackupError where the database cannot be asked."""
        try:
            self._client.path("mariadb-dump", "mysqldump")
            said = self._client.run((*self._connected("mariadb", "mysql"), f"--execute={_SIZE}", self._database))
        except BackupError as error:
            raise BackupError(f"{self._told}: {error}") from error
        found = re.search(r"size=(\d+)", said)
        if found is None:
            raise BackupError(f"{self._told}: its client does not tell its size: {said!r}")
        return int(found[1])

    def save(self, directory: Path) -> None:
        """Dump it to a file below `directory`; raises BackupError and OSError. Exit code 0 alone is not believed."""
        dump = directory / f"{self.name}.sql"
        try:
            # With comments, whatever the file of options says: the last line is one.
            argv = (*self._connected("mariadb-dump", "mysqldump"), "--comments", *_HOW, self._database)
            self._client.run(argv, write=dump)
        except BackupError as error:
            raise BackupError(f"{self._told}: {error}") from error
        if not _last_line(dump).startswith(COMPLETED):
            raise BackupError(f"{self._told}: {argv[0]} ended well, but the dump does not end as a whole one does")

    def steps(self, directory: Path, _stamp: str) -> tuple[str, ...]:
        """What `restore` would do."""
        argv, dump = self._restore(directory)
        return (f"run {shlex.join(argv)} < {shlex.quote(str(dump))}", "table by table; what came later stays")

    def restore(self, directory: Path, _stamp: str) -> str:
        """Have the client read the dump; raises RestoreError. It is no transaction: MySQL knows none for tables."""
        try:
            argv, dump = self._restore(directory)
            self._client.run(argv, read=dump)
        except BackupError as error:
            raise RestoreError(f"{self._told} may be restored in part: {error}") from error
        return f"{self._told} is restored"

    def _restore(self, directory: Path) -> tuple[tuple[str, ...], Path]:
        wait = f"--init-command=set lock_wait_timeout={LOCKED}"
        return (*self._connected("mariadb", "mysql"), wait, self._database), directory / f"{self.name}.sql"

    def _connected(self, *programs: str) -> tuple[str, str]:
        """A client and where it finds how to connect: a path, since everybody may see a program's arguments."""
        try:
            mode = self._options_file.stat().st_mode
        except OSError as error:
            raise BackupError(f"{self._options_file}: cannot be read: {error.strerror}") from error
        if mode & 0o007:
            raise BackupError(f"{self._options_file}: others may read it; run: chmod 600 {self._options_file}")
        return self._client.path(*programs), f"--defaults-file={self._options_file}"

    @property
    def _told(self) -> str:
        return f"the MySQL database {self.name}"


def _last_line(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(opened.seek(0, os.SEEK_END) - 1000, 0))
        return opened.read().rstrip(b"\n").rpartition(b"\n")[2]
