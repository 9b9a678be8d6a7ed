"""Counters that survive a restart and agree between replicas: one row a label set."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert


def bump(tx: sa.Connection, name: str, by: int = 1, **labels: str) -> None:
    """Add `by` to the counter `name` with these labels, in the transaction of what is being counted."""
    row = {"name": name, "label": json.dumps(labels, sort_keys=True), "value": by}
    statement = insert(tx, tables.count).values(row)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "label"], set_={"value": tables.count.c.value + statement.excluded.value}
        )
    )


def read_all(tx: sa.Connection) -> Iterator[tuple[str, dict[str, str], int]]:
    """Every counter: its name, its labels, its value."""
    for row in tx.execute(sa.select(tables.count)):
        yield row.name, json.loads(row.label), row.value
