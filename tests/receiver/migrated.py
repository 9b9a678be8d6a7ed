"""Journals as `migrate` makes them, for the tests of all else: most take less time than the migrations."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from receiver.journal.database import Database, sqlite_url
from receiver.journal.schema import migrate


def make(database: Database) -> None:
    """Give the journal this program's schema; a new file is a copy of one that was migrated."""
    if database.file is None or database.file.path.exists():
        migrate(database)
    else:
        database.file.path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "state.db"
        database = Database(sqlite_url(file))
        migrate(database)
        database.close()
        return file.read_bytes()
