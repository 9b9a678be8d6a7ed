"""Brings the journal's schema to this program's version, or refuses a newer one."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from receiver.errors import NewerSchema
from receiver.journal.database import Database, let_take

_MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATING = 600.0
"""Seconds that a migration may take, and a replica waits for another one's."""
_POSTGRESQL_LOCK = 7_201_845  # any constant: replicas that start together migrate one after the other


def migrate(database: Database) -> None:
    """Create or upgrade the schema in one transaction; raises NewerSchema where this program is too old for it."""
    config = _alembic()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.write() as tx, let_take(tx, MIGRATING):
        if not database.is_sqlite:
            tx.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        current = MigrationContext.configure(tx).get_current_revision()
        if current is not None and current not in known:
            raise NewerSchema(
                f"the journal has schema {current}, which this program does not know; "
                "it was written by a newer rollback-agent, so run that one"
            )
        config.attributes["connection"] = tx
        command.upgrade(config, "head")


def version(database: Database) -> str | None:
    """The schema that the journal has, or None where there is none; raises JournalError."""
    with database.read() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def newest() -> str | None:
    """The schema that this program makes."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
