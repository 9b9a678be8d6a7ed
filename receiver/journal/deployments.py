"""What is remembered of a deployment as a whole: its lock, its latch, its budget."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.moments import Moment, as_moment, measured_between

# As text, for both databases: the same as an expression would be compiled anew each time, in every look at the inbox.
_LOCK = sa.text(
    "insert into deployment (name, locked) values (:name, 1) "
    "on conflict (name) do update set locked = deployment.locked + 1"
)


@dataclass(frozen=True, slots=True)
class Latch:
    """Why nothing is rolled back here until a person clears it, and since when (Unix seconds)."""

    since: float
    reason: str


def lock(tx: sa.Connection, deployment: str) -> None:
    """Be alone on `deployment` until this transaction ends; must be its first statement."""
    tx.execute(_LOCK, {"name": deployment})


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


def claims_within(
    tx: sa.Connection, deployment: str, period: float, now: float, but_run: str | None = None
) -> tuple[float, ...]:
    """When rollbacks of `deployment` were claimed in the last `period` seconds; `but_run`'s own claim is left out.

    Oldest first, as far before `now` as was measured: a clock that was moved since moves no claim away.
    """
    table = tables.run
    moment = as_moment(now)
    query = sa.select(table).where(table.c.deployment == deployment, is_within(table, moment, period))
    if but_run is not None:
        query = query.where(table.c.id != but_run)
    claims = (Moment(row.claimed_at, row.claimed_boot, row.claimed_uptime) for row in tx.execute(query))
    return tuple(sorted(_as_measured(claim, moment) for claim in claims))


def is_within(run: sa.FromClause, now: Moment, period: float) -> sa.ColumnElement[bool]:
    """Of a run, whether it claimed a rollback in the last `period` seconds, as they were measured where they were."""
    recent = run.c.claimed_at > now - period
    if now.boot is None or now.uptime is None:
        return recent
    measured = sa.and_(run.c.claimed_boot == now.boot, run.c.claimed_uptime > now.uptime - period)
    return sa.or_(measured, sa.and_(run.c.claimed_boot.is_distinct_from(now.boot), recent))


def _as_measured(claim: Moment, now: Moment) -> float:
    ago = measured_between(claim, now)
    return float(claim) if ago is None else now - ago
