"""Opens the deployment's database, one connection for each request."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A connection whose changes are committed when the block ends well, and undone otherwise."""
    with closing(sqlite3.connect(os.environ["QRL_DATABASE"], timeout=2.0)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            yield connection
