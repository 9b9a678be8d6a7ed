"""`approve` and `deny`: a person's answer to a plan."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from receiver.audit import AuditTrail
from receiver.commands.options import config_option, open_journal, person_option
from receiver.durations import clock_time
from receiver.errors import RollbackAgentError
from receiver.journal import approvals, views
from receiver.journal.approvals import Approval, ApprovalState
from receiver.model import SHORT_HASH


@click.command()
@click.argument("incident")
@click.option("--plan", "plan_hash", required=True, help="The plan's hash, at least its first 8 characters.")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def approve(incident: str, plan_hash: str, comment: str, person: str, config_path: Path) -> None:
    """Confirm the plan that the agent asks about; the rollback then goes on."""
    _decide(config_path, incident, ApprovalState.APPROVED, person, comment, plan_hash)


@click.command()
@click.argument("incident")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def deny(incident: str, comment: str, person: str, config_path: Path) -> None:
    """Refuse the plan; the run ends, and the deployment is latched until `clear`."""
    _decide(config_path, incident, ApprovalState.DENIED, person, comment, None)


def _decide(
    config_path: Path, incident: str, state: ApprovalState, person: str, comment: str, plan_hash: str | None
) -> None:
    config, database = open_journal(config_path)
    with database.write() as tx:
        approval = _pending(tx, incident)
        now = database.now(tx)
        decided = approvals.decide(tx, approval, state, now, person, plan_hash, comment)
        if not decided:
            raise RollbackAgentError(_why_not(approval, now, plan_hash))
        # In the same transaction: without the record on disk the decision does not stand.
        AuditTrail(config.logs / "audit-trail.jsonl", lambda: now).record(
            state.value,
            comment or f"{state.value} on the command line",
            actor=person,
            run=approval.run,
            facts={"plan_hash": approval.plan_hash},
        )
    click.echo(
        f"{state.value.capitalize()} as {person}: plan {approval.plan_hash[:SHORT_HASH]} of incident {incident}."
    )


def _pending(tx: sa.Connection, incident: str) -> Approval:
    found = views.incident(tx, incident)
    if found is None:
        raise RollbackAgentError(f"there is no incident {incident}; `rollback-agent incidents` lists them")
    for run in reversed(found["runs"]):
        approval = approvals.of_run(tx, run["id"])
        if approval is not None:
            return approval
    raise RollbackAgentError(f"incident {incident} asks nobody for approval")


def _why_not(approval: Approval, now: float, plan_hash: str | None) -> str:
    if approval.state is not ApprovalState.PENDING:
        who = f" by {approval.decided_by}" if approval.decided_by else ""
        return f"the plan was already {approval.state.value}{who} at {clock_time(approval.decided_at)}"
    if approval.is_over(now):
        return f"the approval expired at {clock_time(approval.expires_at)}"
    if plan_hash is not None and len(plan_hash) < SHORT_HASH:
        return f"give at least the first {SHORT_HASH} characters of the plan's hash"
    return f"{plan_hash} is not the plan that is asked about; `rollback-agent show` prints its hash"
