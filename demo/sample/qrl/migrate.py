"""The release's deploy step: applies its migrations, each once, and makes the user of the self tests."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from qrl import accounts

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def migrate(connection: sqlite3.Connection) -> list[str]:
    """Apply what is not applied yet, in the order of the names; each with its note in one transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY)")
    done = {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}
    new = [file for file in sorted(MIGRATIONS.glob("*.sql")) if file.name not in done]
    for file in new:
        note = f"INSERT INTO schema_migrations VALUES ('{file.name}');"
        connection.executescript(f"BEGIN IMMEDIATE;\n{file.read_text()}\n{note}\nCOMMIT;")
    return [file.name for file in new]


def make_self_test_user(connection: sqlite3.Connection, file: Path) -> None:
    """Make the test user with a random password, which `file` tells to the services and to nobody else."""
    user = {"name": "self-test", "password": secrets.token_urlsafe(24)}
    file.touch(mode=0o600)
    file.write_text(json.dumps(user))
    accounts.set_password(connection, user["name"], user["password"])


def main() -> None:
    """Bring the database to what this release needs."""
    file = Path(os.environ["QRL_SELF_TEST_USER"])
    with closing(sqlite3.connect(os.environ["QRL_DATABASE"], timeout=5.0, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        print("migrations applied:", ", ".join(migrate(connection)) or "none")
        if not file.exists():
            make_self_test_user(connection, file)


if __name__ == "__main__":
    main()
