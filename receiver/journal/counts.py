"""Counters that survive a restart and agree between replicas: one row a label set."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from receiver.journal import tables

# As text, for both databases: the same as an expression would be compiled anew each time, in every notification.
_BUMP = sa.text(
    "insert into count (name, label, value) values (:name, :label, :value) "
    "on conflict (name, label) do update set value = count.value + excluded.value"
)


def bump(tx: sa.Connection, name: str, by: int = 1, **labels: str) -> None:
    """Add `by` to the counter `name` with these labels, in the transaction of what is being counted."""
    tx.execute(_BUMP, {"name": name, "label": json.dumps(labels, sort_keys=True), "value": by})


def read_all(tx: sa.Connection) -> Iterator[tuple[str, dict[str, str], int]]:
    """Every counter: its name, its labels, its value."""
    for row in tx.execute(sa.select(tables.count)):
        yield row.name, json.loads(row.label), row.value
