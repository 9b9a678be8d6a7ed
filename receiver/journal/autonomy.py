"""The autonomy levels that operators have set; they go before the configuration's until they are taken back."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert
from receiver.model import Autonomy

ALL = "*"
"""The scope of every deployment; none can have that name."""


@dataclass(frozen=True, slots=True)
class SetLevel:
    """A level, who set it and when (Unix seconds)."""

    level: Autonomy
    set_by: str
    set_at: float


def set_level(tx: sa.Connection, scope: str, level: Autonomy, now: float, person: str) -> None:
    """Set the level of a deployment, or of ALL, whatever was set for single ones before."""
    if scope == ALL:
        tx.execute(sa.delete(tables.autonomy))
    row = {"level": level, "set_at": float(now), "set_by": person}
    statement = insert(tx, tables.autonomy).values(scope=scope, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["scope"], set_=row))


def take_back(tx: sa.Connection, scope: str) -> bool:
    """Let the configuration's level count again, for ALL or a deployment of its own; whether anything was set."""
    table = tables.autonomy
    delete = sa.delete(table) if scope == ALL else sa.delete(table).where(table.c.scope == scope)
    return tx.execute(delete).rowcount > 0


def set_for(tx: sa.Connection, deployment: str) -> SetLevel | None:
    """What operators have set: for this deployment, else for all, else nothing."""
    table = tables.autonomy
    rows = tx.execute(sa.select(table).where(table.c.scope.in_((deployment, ALL)))).all()
    row = max(rows, key=lambda one: one.scope == deployment, default=None)
    return None if row is None else SetLevel(Autonomy(row.level), row.set_by, row.set_at)
