"""The journal's databases: each test runs on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.journal.database import Database, sqlite_url
from tests.receiver import migrated


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path / "state.db")
    else:
        url = request.getfixturevalue("postgres").new_database()
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A journal with its schema and nothing in it."""
    migrated.make(empty_database)
    return empty_database
