"""Drills: what was begun by whom, when its alert arrived, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import new_id

UNDER_WAY, GOOD, FAILED = "under_way", "good", "failed"


@dataclass(frozen=True, slots=True)
class Latest:
    """How the newest drill of a kind ended, and when it began (Unix seconds)."""

    state: str
    started_at: float
    reason: str | None


def begin(tx: sa.Connection, deployment: str, scenario: str, now: float, person: str) -> str:
    """Remember that a drill begins; its id."""
    drill = new_id()
    row = {
        "id": drill, "deployment": deployment, "scenario": scenario, "state": UNDER_WAY,
        "started_at": now, "started_by": person,
    }  # fmt: skip
    tx.execute(sa.insert(tables.drill).values(row))
    return drill


def under_way(tx: sa.Connection, deployment: str, since: float) -> str | None:
    """Who began a drill of the deployment after `since` that has not ended, or None where there is none."""
    table = tables.drill
    query = sa.select(table.c.started_by).where(
        table.c.deployment == deployment, table.c.state == UNDER_WAY, table.c.started_at > since
    )
    return tx.execute(query).scalar()


def arrived(tx: sa.Connection, drill: str, at: float) -> None:
    """The alert of a drill came through Alertmanager; the first time (Unix seconds) counts, while it goes on."""
    table = tables.drill
    first = (table.c.id == drill, table.c.state == UNDER_WAY, table.c.arrived_at.is_(None))
    tx.execute(sa.update(table).where(*first).values(arrived_at=at))


def arrived_at(tx: sa.Connection, drill: str) -> float | None:
    """When the alert of a drill came, or None."""
    return tx.execute(sa.select(tables.drill.c.arrived_at).where(tables.drill.c.id == drill)).scalar()


def end(tx: sa.Connection, drill: str, now: float, is_good: bool, reason: str, incident: str | None) -> None:
    """Remember how a drill ended."""
    table = tables.drill
    values = {"state": GOOD if is_good else FAILED, "ended_at": now, "reason": reason, "incident": incident}
    tx.execute(sa.update(table).where(table.c.id == drill).values(values))


def last_good(tx: sa.Connection) -> dict[tuple[str, str], float]:
    """When each drill last ended well (Unix seconds), by deployment and scenario."""
    table = tables.drill
    query = sa.select(table.c.deployment, table.c.scenario, sa.func.max(table.c.ended_at)).where(table.c.state == GOOD)
    return {(row[0], row[1]): row[2] for row in tx.execute(query.group_by(table.c.deployment, table.c.scenario))}


def latest(tx: sa.Connection, deployment: str, scenario: str) -> Latest | None:
    """The newest drill of this kind, or None where there was none."""
    table = tables.drill
    query = sa.select(table.c.state, table.c.started_at, table.c.reason).where(
        table.c.deployment == deployment, table.c.scenario == scenario
    )
    row = tx.execute(query.order_by(table.c.started_at.desc())).first()
    return None if row is None else Latest(row[0], row[1], row[2])
