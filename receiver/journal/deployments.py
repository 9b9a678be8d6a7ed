"""What is remembered of a deployment as a whole: its lock, its latch, its budget."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert


@dataclass(frozen=True, slots=True)
class Latch:
    """Why nothing is rolled back here until a person clears it, and since when (Unix seconds)."""

    since: float
    reason: str


def lock(tx: sa.Connection, deployment: str) -> None:
    """Be alone on `deployment` until this transaction ends; must be its first statement."""
    statement = insert(tx, tables.deployment).values(name=deployment, locked=1)
    tx.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"locked": tables.deployment.c.locked + 1})
    )


def latch(tx: sa.Connection, deployment: str, now: float, reason: str) -> None:
    """Stop all automatic rollbacks of `deployment` until a person clears it; an earlier latch stays."""
    lock(tx, deployment)
    table = tables.deployment
    tx.execute(
        sa.update(table)
        .where(table.c.name == deployment, table.c.latched_at.is_(None))
        .values(latched_at=now, latch_reason=reason)
    )


def clear_latch(tx: sa.Connection, deployment: str) -> Latch | None:
    """Lift the latch; returns what it was, or None where there was none."""
    lock(tx, deployment)
    found = latch_of(tx, deployment)
    table = tables.deployment
    tx.execute(sa.update(table).where(table.c.name == deployment).values(latched_at=None, latch_reason=None))
    return found


def latch_of(tx: sa.Connection, deployment: str) -> Latch | None:
    """The latch on `deployment`, if there is one."""
    table = tables.deployment
    row = tx.execute(sa.select(table).where(table.c.name == deployment)).first()
    return Latch(row.latched_at, row.latch_reason) if row is not None and row.latched_at is not None else None


def claims_since(tx: sa.Connection, deployment: str, since: float, but_run: str | None = None) -> tuple[float, ...]:
    """When rollbacks of `deployment` were claimed after `since`, oldest first; `but_run`'s own claim is left out."""
    table = tables.run
    query = (
        sa.select(table.c.claimed_at)
        .where(table.c.deployment == deployment, table.c.claimed_at > since)
        .order_by(table.c.claimed_at)
    )
    if but_run is not None:
        query = query.where(table.c.id != but_run)
    return tuple(tx.execute(query).scalars())
