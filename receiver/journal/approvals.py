"""Approvals: one a run, bound to the plan's hash, decided once by one conditional update."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

import sqlalchemy as sa

from receiver.journal import escalations, runs, tables
from receiver.journal.database import insert, new_id
from receiver.journal.moments import Moment, as_moment, measured_between
from receiver.model import SHORT_HASH, Plan, Run


class ApprovalState(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person is asked; times are Unix seconds."""

    id: str
    run: str
    plan_hash: str
    state: ApprovalState
    opened_at: Moment
    expires_at: float
    decided_at: float | None
    decided_by: str | None
    comment: str | None

    def is_over(self, now: float) -> bool:
        """Whether its time is up, by the wall clock or as measured since it was opened: whichever is sooner."""
        lived = measured_between(self.opened_at, now)
        return now >= self.expires_at or (lived is not None and lived >= self.expires_at - self.opened_at)


def ask(tx: sa.Connection, run: Run, plan: Plan, now: float, expires_at: float) -> Approval:
    """Open the run's approval, or return the one that is there."""
    row = {
        "id": new_id(), "run": run.id, "plan": json.dumps(asdict(plan)), "plan_hash": plan.hash,
        "state": ApprovalState.PENDING, "opened_at": float(now), "opened_boot": as_moment(now).boot,
        "opened_uptime": as_moment(now).uptime, "expires_at": expires_at,
    }  # fmt: skip
    tx.execute(insert(tx, tables.approval).values(row).on_conflict_do_nothing())
    found = of_run(tx, run.id)
    if found is None:
        raise LookupError(f"the approval of run {run.id} vanished")
    return found


def of_run(tx: sa.Connection, run: str) -> Approval | None:
    """The approval of a run."""
    row = tx.execute(sa.select(tables.approval).where(tables.approval.c.run == run)).first()
    if row is None:
        return None
    return Approval(
        row.id, row.run, row.plan_hash, ApprovalState(row.state),
        Moment(row.opened_at, row.opened_boot, row.opened_uptime), row.expires_at,
        row.decided_at, row.decided_by, row.comment,
    )  # fmt: skip


def decide(
    tx: sa.Connection,
    approval: Approval,
    state: ApprovalState,
    now: float,
    person: str,
    hash_prefix: str | None,
    comment: str,
) -> bool:
    """Approve or deny, once and in time; returns whether this call decided.

    To approve, `hash_prefix` must be at least the first 8 characters of the plan's hash.
    """
    if approval.is_over(now):
        return False
    table = tables.approval
    update = sa.update(table).where(table.c.id == approval.id, table.c.state == ApprovalState.PENDING)
    if state is ApprovalState.APPROVED:
        if hash_prefix is None or len(hash_prefix) < SHORT_HASH:
            return False
        update = update.where(sa.func.substr(table.c.plan_hash, 1, len(hash_prefix)) == hash_prefix)
    decided = tx.execute(update.values(state=state, decided_at=now, decided_by=person, comment=comment)).rowcount == 1
    if decided:
        escalations.settle(tx, approval.run, now, person, state)
        _wake_run(tx, approval.run, now)
    return decided


def end(tx: sa.Connection, approval: Approval, state: ApprovalState, now: float) -> bool:
    """Let a pending approval expire, or withdraw it; returns whether it was still pending."""
    table = tables.approval
    update = sa.update(table).where(table.c.id == approval.id, table.c.state == ApprovalState.PENDING)
    ended = tx.execute(update.values(state=state, decided_at=now)).rowcount == 1
    if ended:
        escalations.settle(tx, approval.run, now, "rollback-agent", state)
    return ended


def _wake_run(tx: sa.Connection, run: str, now: float) -> None:
    """Let the run look at its approval now."""
    incident = tx.execute(sa.select(tables.run.c.incident).where(tables.run.c.id == run)).scalar_one()
    runs.wake(tx, incident, now)
