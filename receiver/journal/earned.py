"""What branches have earned by their reviews, and from when on what was decided counts for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert
from receiver.model import Autonomy


@dataclass(frozen=True, slots=True)
class Earned:
    """How a branch of a deployment stands: at L3 it has earned nothing, or not any more. Times are Unix seconds.

    What was decided until `counts_from` counts no more. `changes` says how often the level has changed, and `reason`
    why it last did, or why counting began anew.
    """

    deployment: str
    branch: str
    level: Autonomy = Autonomy.L3
    changes: int = 0
    changed_at: float | None = None
    reason: str = ""
    counts_from: float = 0.0


def of_branch(tx: sa.Connection, deployment: str, branch: str) -> Earned:
    """How a branch stands."""
    return of_deployment(tx, deployment).get(branch, Earned(deployment, branch))


def of_deployment(tx: sa.Connection, deployment: str) -> dict[str, Earned]:
    """How those branches stand of which anything is kept, by name."""
    table = tables.earned_autonomy
    rows = tx.execute(sa.select(table).where(table.c.deployment == deployment).order_by(table.c.branch))
    return {row.branch: Earned(**dict(row._mapping) | {"level": Autonomy(row.level)}) for row in rows}


def put(tx: sa.Connection, earned: Earned) -> None:
    """Keep how a branch stands now; the deployment is locked."""
    row = asdict(earned)
    statement = insert(tx, tables.earned_autonomy).values(row)
    tx.execute(statement.on_conflict_do_update(index_elements=["deployment", "branch"], set_=row))


def after_all(tx: sa.Connection, deployment: str, now: float) -> float:
    """A moment after which nothing was decided so far, also where the clock was set back since (Unix seconds)."""
    review, run, step = tables.review, tables.run, tables.step
    decided = sa.select(sa.func.max(review.c.decided_at)).where(review.c.deployment == deployment)
    ended = sa.select(sa.func.max(step.c.finished_at)).join(run, step.c.run == run.c.id)
    ended = ended.where(run.c.deployment == deployment)
    return max(float(now), *(tx.execute(query).scalar() or 0.0 for query in (decided, ended)))
