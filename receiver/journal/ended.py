"""The newest runs that have ended, as far as a review needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import runs, tables

SHOWN = 10
"""Runs of each deployment; more can hardly end between two scrapes, and Prometheus remembers the earlier ones."""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """One run; what it never came to is empty. Times are Unix seconds, phases in seconds by their names."""

    id: str
    incident: str
    branch: str
    level: str
    confidence: str
    approved_by: str
    result: str
    opened_at: float
    """When its incident began."""
    started_at: float
    ended_at: float
    phases: Mapping[str, float]


def newest(tx: sa.Connection, deployment: str, limit: int, known: Mapping[str, EndedRun]) -> dict[str, EndedRun]:
    """The newest ended runs of a deployment by their ids; those `known` from an earlier call are not read again."""
    table, incident = tables.run, tables.incident
    query = (
        sa.select(table, incident.c.opened_at)
        .join(incident, table.c.incident == incident.c.id)
        .where(table.c.deployment == deployment, table.c.state == runs.FINISHED)
        .order_by(table.c.finished_at.desc(), table.c.id)
        .limit(limit)
    )
    return {row.id: known.get(row.id) or _ended(tx, row) for row in tx.execute(query).all()}


def _ended(tx: sa.Connection, row: sa.Row[tuple[object, ...]]) -> EndedRun:
    findings = runs.findings_of(tx, row.id)
    decision, permission = findings.decision, findings.permission
    confidence = decision.confidence if decision else None
    step = tables.step
    steps = tx.execute(sa.select(step).where(step.c.run == row.id, step.c.finished_at.is_not(None))).all()
    return EndedRun(
        id=row.id,
        incident=row.incident,
        branch=decision.branch if decision else "none",
        level=findings.plan.level if findings.plan else "none",
        confidence="" if confidence is None else str(confidence),
        approved_by=permission.by if permission else "",
        result=row.result,
        opened_at=row.opened_at,
        started_at=row.created_at,
        ended_at=row.finished_at,
        phases={one.name: one.finished_at - one.started_at for one in steps},
    )
