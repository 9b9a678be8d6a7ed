"""A journal that is a file: how it is opened, who writes next, and that it stays the file that was opened."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from receiver.errors import JournalError


class SqliteFile:
    """One file; a writer waits up to `patience` seconds for another of this process, and as long for one elsewhere."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self._patience = patience
        self._writer = threading.Lock()
        self._opened: tuple[int, int] | None = None
        # The last one that wrote is taken first: another one would have to read again what that has written.
        self.engine = sa.create_engine(f"sqlite:///{path}", pool_size=16, max_overflow=16, pool_use_lifo=True)
        event.listen(self.engine, "do_connect", self._before_connect)
        event.listen(self.engine, "connect", self._set_up)
        event.listen(self.engine, "begin", self._begin)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """SQLite has one writer and lets the others sleep and try again; our own threads had better queue."""
        if not self._writer.acquire(timeout=self._patience):
            raise JournalError(f"{self.path}: the journal is busy: no turn to write came within {self._patience:g} s")
        try:
            yield
        finally:
            self._writer.release()

    def _before_connect(self, *_: object) -> None:
        if self._opened is not None:  # or SQLite would make a new file in its place
            self._require_same()

    def _set_up(self, connection: Any, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours: the driver's own comes too late to lock
        connection.execute(f"PRAGMA busy_timeout={self._patience * 1000:.0f}")
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    def _begin(self, tx: sa.Connection) -> None:
        self._require_same()
        # A writer takes the lock at once: read-then-write in a deferred transaction fails when another wrote between.
        reads = tx.get_execution_options().get("rollback_agent_reads", False)
        tx.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    def _require_same(self) -> None:
        """Raise JournalError where the file has lost its name: SQLite would write on, to what nobody finds."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise JournalError(f"{self.path}: the journal is gone: {error.strerror}") from error
        inode = (found.st_dev, found.st_ino)
        self._opened = self._opened or inode
        if inode != self._opened:
            raise JournalError(f"{self.path}: is not the journal that was opened; restart the agent to use this one")


def _use_write_ahead_log(connection: Any) -> None:
    # Two programs that do this to a new file at once are in each other's way; SQLite then fails, timeout or not.
    for left in reversed(range(20)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(0.05)
        else:
            return
