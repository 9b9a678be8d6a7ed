"""The databases of the journal's own tests: what is kept must go the same on both."""

from __future__ import annotations

from tests.receiver.journal.conftest import database, empty_database

__all__ = ["database", "empty_database"]
