"""Keeps a SQLite database while it is in use, by SQLite's own backup."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from receiver.backup.contents import Kind
from receiver.backup.trees import keep_attributes
from receiver.errors import BackupError, RestoreError

PATIENCE = 30.0
"""Seconds that a database may stay locked by another program before it is given up."""


class SqliteSource:
    """One file."""

    kind = Kind.SQLITE

    def __init__(self, file: Path, patience: float = PATIENCE) -> None:
        self.name = str(file)
        self._file = file
        self._patience = patience

    def size(self) -> int:
        """The bytes of the file and of its write-ahead log; raises BackupError where it cannot be read."""
        log = Path(f"{self._file}-wal")
        try:
            with self._file.open("rb"):
                return self._file.stat().st_size + (log.stat().st_size if log.exists() else 0)
        except OSError as error:
            raise BackupError(f"{self._file}: cannot be read for the backup: {error.strerror}") from error

    def save(self, directory: Path) -> None:
        """Copy what is committed to a file below `directory`; raises BackupError and OSError."""
        to = directory / self._file.name
        try:
            # A copy of the file alone would miss what is still in the write-ahead log.
            copy_database(self._file, to, self._patience)
            with closing(sqlite3.connect(to)) as copy:
                copy.execute("PRAGMA journal_mode=DELETE")
                require_intact(copy, self._file)
        except sqlite3.Error as error:
            raise BackupError(f"{self._file}: cannot be copied: {error}") from error
        keep_attributes(self._file.resolve(), to)

    def steps(self, directory: Path, _stamp: str) -> tuple[str, ...]:
        """What `restore` would do."""
        return (f"write {_only(directory)} into {self._file} by SQLite's own backup, also while it is in use",)

    def restore(self, directory: Path, stamp: str) -> str:
        """Write the copy into the live file, in one transaction; raises RestoreError."""
        saved, live = _only(directory), self._file.resolve()
        try:
            aside = _move_aside_what_is_no_database(live, stamp)
            is_new = not live.exists()
            copy_database(saved, live, self._patience)
            if is_new:
                keep_attributes(saved, live)
            with closing(sqlite3.connect(f"{live.as_uri()}?mode=ro", uri=True)) as database:
                require_intact(database, live)
        except (OSError, sqlite3.Error, BackupError) as error:
            raise RestoreError(f"{live} could not be restored: {error}") from error
        return f"{live} is restored" + (f"; what was there is {aside}" if aside else "")


def _only(directory: Path) -> Path:
    """The one file of a part; raises BackupError."""
    try:
        (found,) = directory.iterdir()
    except (OSError, ValueError) as error:
        raise BackupError(f"{directory} holds no database: {error}") from error
    return found


def _move_aside_what_is_no_database(live: Path, stamp: str) -> Path | None:
    """Rename what SQLite could not write into, with its logs; raises OSError and sqlite3.Error."""
    if not live.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{live.as_uri()}?mode=rw", uri=True, timeout=1.0)) as database:
            database.execute("PRAGMA schema_version").fetchall()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
    else:
        return None
    aside = live.with_name(f"{live.name}.before-restore-{stamp}")
    if aside.exists():
        raise FileExistsError(f"{aside} is there already")
    for log in ("-wal", "-shm", "-journal", ""):
        with suppress(FileNotFoundError):
            live.with_name(live.name + log).rename(aside.with_name(aside.name + log))
    return aside


def copy_database(source: Path, to: Path, patience: float) -> None:
    """Make `to` what is committed in `source`, in one transaction; raises sqlite3.Error and TimeoutError."""
    deadline = time.monotonic() + patience

    def progress(status: int, _remaining: int, _total: int) -> None:
        # Called after each attempt; without it the backup would wait for a locked database for ever.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise TimeoutError(f"{source} was locked for more than {patience:g} s")

    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=1.0)) as original,
        closing(sqlite3.connect(to, timeout=1.0)) as copy,
    ):
        original.backup(copy, progress=progress)


def require_intact(database: sqlite3.Connection, source: Path) -> None:
    """Raises BackupError where the copy of `source` is not what SQLite can use."""
    found = database.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(f"{source}: the copy fails SQLite's integrity check: {found}")
