"""Which approval a person answers, and why an answer does not count."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.durations import clock_time
from receiver.errors import NotFound, NotPossible
from receiver.journal import approvals, tables
from receiver.journal.approvals import Approval, ApprovalState
from receiver.journal.moments import Moment
from receiver.model import SHORT_HASH
from receiver.removed import gone

ONLY_A_CLAIM = (
    "{} people must approve, and that this is {} is only a claim; approve on the page, or under your own login name"
)


class NotCounted(NotPossible):
    """An answer to an approval that does not count."""

    def __init__(self, approval: Approval, why: str) -> None:
        super().__init__(why)
        self.approval = approval


def latest_approval(tx: sa.Connection, incident: str) -> Approval:
    """The newest approval of an incident; raises NotFound, and NotPossible where nobody is asked."""
    run = tables.run
    asked = sa.select(tables.approval.c.run).join(run, tables.approval.c.run == run.c.id)
    latest = tx.execute(asked.where(run.c.incident == incident).order_by(run.c.created_at.desc())).scalar()
    approval = approvals.of_run(tx, latest) if latest is not None else None
    if approval is not None:
        return approval
    known = tx.execute(sa.select(tables.incident.c.id).where(tables.incident.c.id == incident)).first()
    if known is None:
        raise gone(tx, incident) or NotFound(f"there is no incident {incident}; `rollback-agent incidents` lists them")
    raise NotPossible(f"incident {incident} asks nobody for approval")


def why_not(approval: Approval, now: Moment, person: str, plan_hash: str | None) -> str:
    """The reason in a sentence; `plan_hash` is what the person named as the plan, if they had to."""
    if approval.state is not ApprovalState.PENDING:
        who = f" by {approval.decided_by}" if approval.decided_by else ""
        return f"the plan was already {approval.state.value}{who} at {clock_time(approval.decided_at)}"
    if approval.is_over(now):
        return f"the approval expired at {clock_time(approval.expires_at)}"
    if plan_hash is not None and len(plan_hash) < SHORT_HASH:
        return f"give at least the first {SHORT_HASH} characters of the plan's hash"
    if plan_hash is not None and not approval.plan_hash.startswith(plan_hash):
        return f"{plan_hash[:64]} is not the plan that is asked about; `rollback-agent show` prints its hash"
    return f"{person} has approved already; {approval.need} people must, so another one is needed"
