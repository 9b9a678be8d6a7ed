"""The migrations build what the program expects, once, and never touch what a newer program wrote."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from receiver.errors import NewerSchema
from receiver.journal import counts, tables
from receiver.journal.database import Database
from receiver.journal.schema import migrate

VERSION = sa.table("alembic_version", sa.column("version_num"))


def test_the_migrations_end_at_the_programs_tables(empty_database: Database) -> None:
    """After the last migration the database holds exactly the tables, columns and indexes that the program names."""
    migrate(empty_database)

    with empty_database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), tables.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    """A start on an up-to-date journal keeps its rows and its version."""
    with database.write() as tx:
        counts.bump(tx, "runs", deployment="qrl")
    with database.read() as tx:
        before = tx.execute(sa.select(VERSION)).scalars().all()

    migrate(database)

    with database.read() as tx:
        assert tx.execute(sa.select(VERSION)).scalars().all() == before
        assert list(counts.read_all(tx)) == [("runs", {"deployment": "qrl"}, 1)]


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    """A journal of a newer program is refused with the way out, and stays as it is."""
    with database.write() as tx:
        tx.execute(sa.update(VERSION).values(version_num="9999"))

    with pytest.raises(NewerSchema, match=r"schema 9999.*written by a newer rollback-agent, so run that one"):
        migrate(database)

    with database.read() as tx:
        assert tx.execute(sa.select(VERSION)).scalars().all() == ["9999"]


def test_processes_that_start_together_migrate_once(empty_database: Database) -> None:
    """Two programs that start on the same empty journal both succeed, and the schema is made once."""
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(2)
    url = empty_database.url.render_as_string(hide_password=False)
    starters = [spawn.Process(target=_migrate_at_once, args=(url, gate)) for _ in range(2)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(60)

    assert [starter.exitcode for starter in starters] == [0, 0]
    with empty_database.read() as tx:
        assert len(tx.execute(sa.select(VERSION)).scalars().all()) == 1


def _migrate_at_once(url: str, gate: Barrier) -> None:
    database = Database(url)
    gate.wait(30)
    migrate(database)
