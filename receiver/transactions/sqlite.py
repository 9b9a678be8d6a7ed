"""Whether a write transaction is open on a SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from receiver.errors import TransactionsError

_PRIMARY = 0xFF
"""SQLite's extended error codes hold the primary one in their lowest byte."""


class SqliteTransactions:
    """One file, whose writers have `older_than` seconds to end theirs."""

    def __init__(self, path: Path, older_than: float) -> None:
        self._path = path
        self._older_than = older_than

    def pending(self) -> tuple[str, ...]:
        """A sentence where a write transaction stays open, or one was interrupted; raises TransactionsError."""
        try:
            # Read-only first: the first writer to come would undo an interrupted transaction, and that is not our task.
            self._try("ro", "PRAGMA schema_version")
            # Who may begin a write transaction knows that there is no other; while there is, SQLite waits for it.
            self._try("rw", "BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)  # absent where the fault is not SQLite's own
            if code == sqlite3.SQLITE_READONLY_ROLLBACK:
                return (f"{self._path}: a transaction was interrupted and is not undone yet",)
            if code & _PRIMARY == sqlite3.SQLITE_BUSY:
                return (f"{self._path}: it has been locked by a transaction for {self._older_than:g} s",)
            raise TransactionsError(f"{self._path}: {error}") from error
        return ()

    def _try(self, mode: str, statement: str) -> None:
        """Closing the connection undoes what the statement began."""
        address = f"{self._path.as_uri()}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=self._older_than, isolation_level=None)
        with closing(connection):
            connection.execute(statement).fetchall()
