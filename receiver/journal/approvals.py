"""Approvals: one a run, bound to the plan's hash, decided once by one conditional update; votes: one a person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

import sqlalchemy as sa

from receiver.journal import escalations, runs, tables
from receiver.journal.database import insert, insert_new, new_id
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
    deployment: str
    plan_hash: str
    state: ApprovalState
    opened_at: Moment
    expires_at: float
    decided_at: float | None
    decided_by: str | None
    comment: str | None
    need: int
    """How many people must approve."""
    voters: tuple[str, ...]
    """Who has approved so far, in that order."""

    def is_over(self, now: float) -> bool:
        """Whether its time is up, by the wall clock or as measured since it was opened: whichever is sooner."""
        lived = measured_between(self.opened_at, now)
        return now >= self.expires_at or (lived is not None and lived >= self.expires_at - self.opened_at)


@dataclass(frozen=True, slots=True)
class Voter:
    """Who approves, and how they reached the agent."""

    name: str
    via: str


def ask(tx: sa.Connection, run: Run, plan: Plan, now: float, expires_at: float, need: int = 1) -> Approval:
    """Open the run's approval, or return the one that is there."""
    row = {
        "id": new_id(), "run": run.id, "plan": json.dumps(asdict(plan)), "plan_hash": plan.hash,
        "state": ApprovalState.PENDING, "opened_at": float(now), "opened_boot": as_moment(now).boot,
        "opened_uptime": as_moment(now).uptime, "expires_at": expires_at, "need": need,
    }  # fmt: skip
    tx.execute(insert(tx, tables.approval).values(row).on_conflict_do_nothing())
    found = of_run(tx, run.id)
    if found is None:
        raise LookupError(f"the approval of run {run.id} vanished")
    return found


def of_run(tx: sa.Connection, run: str) -> Approval | None:
    """The approval of a run."""
    table = tables.approval
    query = sa.select(table, tables.run.c.deployment).join(tables.run, table.c.run == tables.run.c.id)
    row = tx.execute(query.where(table.c.run == run)).first()
    if row is None:
        return None
    return Approval(
        row.id, row.run, row.deployment, row.plan_hash, ApprovalState(row.state),
        Moment(row.opened_at, row.opened_boot, row.opened_uptime), row.expires_at,
        row.decided_at, row.decided_by, row.comment, row.need, _voters(tx, row.id),
    )  # fmt: skip


def approve(
    tx: sa.Connection, approval: Approval, now: float, voter: Voter, hash_prefix: str, comment: str
) -> tuple[str, ...]:
    """Take a person's yes, in time and once a person; returns who has approved by now, or nothing where it counts not.

    `hash_prefix` must be at least the first 8 characters of the plan's hash. With `need` people it is decided.
    """
    if approval.is_over(now) or len(hash_prefix) < SHORT_HASH:
        return ()
    _wake_run(tx, approval.run, now)
    table = tables.approval
    is_this_plan = sa.func.substr(table.c.plan_hash, 1, len(hash_prefix)) == hash_prefix
    # Written before the votes are read: of two people in the same moment, the later one counts the earlier one's.
    if not _update(tx, approval, is_this_plan, need=table.c.need):
        return ()
    vote = {"approval": approval.id, "person": voter.name, "voted_at": float(now), "via": voter.via, "comment": comment}
    if not insert_new(tx, tables.vote, vote):
        return ()
    voters = _voters(tx, approval.id)
    if len(voters) >= approval.need:
        _decide(tx, approval, ApprovalState.APPROVED, now, " and ".join(voters), comment)
    return voters


def deny(tx: sa.Connection, approval: Approval, now: float, person: str, comment: str) -> bool:
    """Take a person's no, once and in time; returns whether this call decided."""
    if approval.is_over(now):
        return False
    _wake_run(tx, approval.run, now)
    return _decide(tx, approval, ApprovalState.DENIED, now, person, comment)


def end(tx: sa.Connection, approval: Approval, state: ApprovalState, now: float) -> bool:
    """Let a pending approval expire, or withdraw it; returns whether it was still pending."""
    ended = _update(tx, approval, state=state, decided_at=now)
    if ended:
        escalations.settle(tx, approval.run, now, "rollback-agent", state)
    return ended


def _decide(tx: sa.Connection, approval: Approval, state: ApprovalState, now: float, by: str, comment: str) -> bool:
    decided = _update(tx, approval, state=state, decided_at=now, decided_by=by, comment=comment)
    if decided:
        escalations.settle(tx, approval.run, now, by, state)
    return decided


def _update(tx: sa.Connection, approval: Approval, *conditions: sa.ColumnElement[bool], **values: object) -> bool:
    """Change an approval while it is pending and `conditions` hold; returns whether it was changed."""
    table = tables.approval
    is_pending = (table.c.id == approval.id, table.c.state == ApprovalState.PENDING)
    return tx.execute(sa.update(table).where(*is_pending, *conditions).values(**values)).rowcount == 1


def _voters(tx: sa.Connection, approval: str) -> tuple[str, ...]:
    table = tables.vote
    query = sa.select(table.c.person).where(table.c.approval == approval).order_by(table.c.voted_at, table.c.person)
    return tuple(tx.execute(query).scalars())


def _wake_run(tx: sa.Connection, run: str, now: float) -> None:
    """Let the run look at its approval as soon as this is committed; its row first, as the run itself takes them."""
    incident = tx.execute(sa.select(tables.run.c.incident).where(tables.run.c.id == run)).scalar_one()
    runs.wake(tx, incident, now)
