"""Announced hotfixes: one a deployment at a time, until it is done or nobody needs it any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from receiver.journal import deployments, tables
from receiver.journal.database import new_id

LONGEST = 900.0
"""Seconds; what takes this long or longer is no hotfix (the guide: "Hotfix in less than 15 minutes?")."""
LINGERS = 480.0
"""Seconds for which a failed or overdue hotfix counts at least: the rules let a minute pass after the deadline, and
judge what went live until then five minutes later, by its own users; two more are for scrapes and evaluations."""
AGENT = "rollback-agent"


class HotfixState(StrEnum):
    """Where a hotfix stands; `over` means that nobody needs to say anything of it any more."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    OVER = "over"


_UNRESOLVED = (HotfixState.RUNNING, HotfixState.FAILED)


@dataclass(frozen=True, slots=True)
class Hotfix:
    """What was announced, and what became of it; times are Unix seconds."""

    id: str
    deployment: str
    started_at: float
    started_by: str
    deadline: float
    state: HotfixState
    ended_at: float | None
    ended_by: str | None
    comment: str | None

    def is_overdue(self, now: float) -> bool:
        """Whether nobody has said what became of it in time."""
        return self.state is HotfixState.RUNNING and self.deadline <= now


def start(tx: sa.Connection, deployment: str, now: float, eta: float, person: str, comment: str) -> Hotfix | None:
    """A hotfix is under way, for `eta` seconds at most; None where another is, which has its time still to go.

    One that failed or is overdue is over then: this one takes its place.
    """
    deployments.lock(tx, deployment)
    before = unresolved(tx, deployment)
    if before is not None and before.state is HotfixState.RUNNING and not before.is_overdue(now):
        return None
    _end_unresolved(tx, deployment, now)
    row = {
        "id": new_id(), "deployment": deployment, "started_at": now, "started_by": person, "deadline": now + eta,
        "state": HotfixState.RUNNING, "comment": comment or None,
    }  # fmt: skip
    tx.execute(sa.insert(tables.hotfix).values(row))
    return unresolved(tx, deployment)


def end(tx: sa.Connection, deployment: str, now: float, state: HotfixState, person: str) -> Hotfix | None:
    """Somebody says that the hotfix is done, or has failed; None where there is none of which that can be said."""
    deployments.lock(tx, deployment)
    found = unresolved(tx, deployment)
    if found is None or found.state is state:
        return None
    table = tables.hotfix
    tx.execute(sa.update(table).where(table.c.id == found.id).values(state=state, ended_at=now, ended_by=person))
    return _read(tx.execute(sa.select(table).where(table.c.id == found.id)).one())


def close_switched(tx: sa.Connection, deployment: str, now: float) -> None:
    """The deployment was rolled back, so what was to be mended is gone; must be the transaction's first call."""
    deployments.lock(tx, deployment)
    _end_unresolved(tx, deployment, now)


def close_quiet(tx: sa.Connection, deployment: str, now: float) -> Hotfix | None:
    """Nothing fires on `deployment`: a hotfix that failed or is overdue for LINGERS is over; returns what it was.

    Otherwise it would roll back at the first error of another day.
    """
    deployments.lock(tx, deployment)
    found = unresolved(tx, deployment)
    if found is None:
        return None
    since = found.deadline if found.state is HotfixState.RUNNING else found.ended_at or found.deadline
    if now < since + LINGERS:
        return None
    _end_unresolved(tx, deployment, now)
    return found


def unresolved(tx: sa.Connection, deployment: str) -> Hotfix | None:
    """The hotfix that runs, past its deadline too, or has failed."""
    table = tables.hotfix
    query = sa.select(table).where(table.c.deployment == deployment, table.c.state.in_(_UNRESOLVED))
    row = tx.execute(query.order_by(table.c.started_at.desc())).first()
    return None if row is None else _read(row)


def forgettable(tx: sa.Connection, before: float) -> list[str]:
    """The ids of those that ended before then (Unix seconds) and of which nothing is left to say."""
    return list(tx.execute(_old(before)).scalars())


def forget(tx: sa.Connection, before: float, limit: int) -> list[str]:
    """Remove up to `limit` that ended before then (Unix seconds); returns their ids. What is unresolved stays."""
    table = tables.hotfix
    old = _old(before).limit(limit)
    return list(tx.execute(sa.delete(table).where(table.c.id.in_(old)).returning(table.c.id)).scalars())


def _old(before: float) -> sa.Select[tuple[str]]:
    table = tables.hotfix
    return sa.select(table.c.id).where(table.c.state.not_in(_UNRESOLVED), table.c.ended_at < before)


def _end_unresolved(tx: sa.Connection, deployment: str, now: float) -> None:
    table = tables.hotfix
    tx.execute(
        sa.update(table)
        .where(table.c.deployment == deployment, table.c.state.in_(_UNRESOLVED))
        .values(
            state=HotfixState.OVER,
            ended_at=sa.func.coalesce(table.c.ended_at, now),
            ended_by=sa.func.coalesce(table.c.ended_by, AGENT),
        )
    )


def _read(row: Any) -> Hotfix:
    return Hotfix(
        row.id, row.deployment, row.started_at, row.started_by, row.deadline, HotfixState(row.state),
        row.ended_at, row.ended_by, row.comment,
    )  # fmt: skip
