"""When something regular was last seen; the replicas share it."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert

WATCHDOG = "watchdog"
JOURNAL = "journal"
"""That the journal can be written, which is seen by writing it."""
KILL_SWITCH = "kill_switch"
"""Seen means that it is on, for every replica."""


def mark(tx: sa.Connection, name: str, at: float) -> None:
    """`name` was seen at `at` (Unix seconds); a later time stays, since notifications may overtake each other."""
    statement = insert(tx, tables.seen).values(name=name, at=at)
    newer = {"index_elements": ["name"], "set_": {"at": statement.excluded.at}}
    tx.execute(statement.on_conflict_do_update(**newer, where=statement.excluded.at > tables.seen.c.at))


def leave_mark(tx: sa.Connection, name: str, at: float) -> None:
    """Write that `name` is seen at `at` (Unix seconds), whatever is there."""
    statement = insert(tx, tables.seen).values(name=name, at=at)
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))


def forget(tx: sa.Connection, name: str) -> None:
    """As if `name` had never been seen."""
    tx.execute(sa.delete(tables.seen).where(tables.seen.c.name == name))


def last(tx: sa.Connection, name: str) -> float | None:
    """When `name` was last seen; None where it never was."""
    return tx.execute(sa.select(tables.seen.c.at).where(tables.seen.c.name == name)).scalar()
