"""The databases of the journal's own tests: what is kept must go the same on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.journal.database import Database, sqlite_url
from receiver.retention.store import Store
from tests.receiver import migrated
from tests.receiver.journal.conftest import database, empty_database
from tests.receiver.retention.stores import store_in

__all__ = ["database", "empty_database"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """What is kept below a directory, with limits that a test can meet: of files a MB."""
    own = Database(sqlite_url(tmp_path / "state.db"))
    migrated.make(own)
    small = {"age": "30d", "bytes": 1_000_000}
    kept = {"reports": small, "outputs": small, "logs": {"age": "30d"}, "audit": {"age": "30d"}}
    yield store_in(tmp_path, own, retention=kept, audit={"segment_bytes": 10_000})
    own.close()
