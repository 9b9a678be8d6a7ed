"""While replicas are upgraded one after the other, the older ones work on with the schema of the newer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.errors import NewerSchema
from receiver.journal import schema
from receiver.journal.database import Database
from tests.receiver.journal.rows import begin, claim

MIGRATIONS = sorted((Path(schema.__file__).parent / "migrations" / "versions").glob("*.py"))
ADDS = {"create_table", "create_index", "batch_alter_table", "add_column", "f"}


@pytest.mark.parametrize("migration", MIGRATIONS[1:], ids=lambda path: path.stem)
def test_a_migration_only_adds(migration: Path) -> None:
    """It makes tables, indexes and columns; a column may be left out by whoever does not know it."""
    tree = ast.parse(migration.read_text())
    (upgrade,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            continue
        if call.func.value.id != "sa":
            assert call.func.attr in ADDS, f"{call.func.attr} takes something from who runs"
        if call.func.attr == "add_column":
            (column,) = (one for one in call.args if isinstance(one, ast.Call))
            known = {word.arg: ast.unparse(word.value) for word in column.keywords}
            assert known.get("nullable") == "True" or "server_default" in known


def test_who_runs_goes_on_with_a_newer_schema_and_who_starts_refuses_it(database: Database) -> None:
    """A newer program has added a table and a column: runs are begun and claimed, and no start is possible."""
    begin(database)
    with database.write() as tx:
        tx.exec_driver_sql("create table from_the_future (id integer primary key)")
        tx.exec_driver_sql("alter table run add column from_the_future text")
        tx.execute(sa.text("update alembic_version set version_num = '9999'"))

    begin(database, "shop")
    assert [run is not None for run in (claim(database), claim(database), claim(database))] == [True, True, False]
    with pytest.raises(NewerSchema):
        schema.migrate(database)
