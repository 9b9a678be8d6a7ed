"""What the page, the command line and the HTTP interface show, as plain dictionaries without secrets."""

from __future__ import annotations

import json
from typing import Any, cast

import sqlalchemy as sa

from receiver.journal import tables
from receiver.model import Plan
from receiver.redact import redact

View = dict[str, Any]


def incidents(tx: sa.Connection, limit: int = 50, deployment: str | None = None) -> list[View]:
    """The newest incidents with their runs; times are Unix seconds."""
    table = tables.incident
    query = sa.select(table).order_by(table.c.opened_at.desc()).limit(limit)
    if deployment is not None:
        query = query.where(table.c.deployment == deployment)
    return [_shown(_incident(tx, row)) for row in tx.execute(query)]


def incident(tx: sa.Connection, id_: str) -> View | None:
    """One incident, or None where there is none of that id."""
    row = tx.execute(sa.select(tables.incident).where(tables.incident.c.id == id_)).first()
    return None if row is None else _shown(_incident(tx, row))


def incident_of_run(tx: sa.Connection, run: str) -> View | None:
    """The incident of a run, or None where there is no run of that id."""
    found = tx.execute(sa.select(tables.run.c.incident).where(tables.run.c.id == run)).scalar()
    return None if found is None else incident(tx, found)


def evaluated_at(run: View) -> float | None:
    """When a run was decided (Unix seconds), or None where it was not, or not yet."""
    return next((step["finished_at"] for step in run["steps"] if step["name"] == "evaluate"), None)


def open_escalations(tx: sa.Connection) -> list[View]:
    """Every escalation that waits for a person's answer, oldest first."""
    table = tables.escalation
    query = sa.select(table).where(table.c.answered_at.is_(None)).order_by(table.c.opened_at)
    return [_shown(_escalation(row)) for row in tx.execute(query)]


def pending_approvals(tx: sa.Connection, now: float) -> list[View]:
    """Every plan that a person can still confirm, oldest first, with its incident."""
    table, run = tables.approval, tables.run
    query = (
        sa.select(table, run.c.incident, run.c.deployment)
        .join(run, table.c.run == run.c.id)
        .where(table.c.state == "pending", table.c.expires_at > now)
        .order_by(table.c.opened_at)
    )
    return [
        _shown(
            {
                "deployment": row.deployment,
                "incident": row.incident,
                "plan_hash": row.plan_hash,
                "expires_at": row.expires_at,
                "need": row.need,
                "votes": _votes(tx, row.id),
                "plan": json.loads(row.plan),
            }
        )
        for row in tx.execute(query)
    ]


def releases(tx: sa.Connection, deployment: str) -> list[View]:
    """The releases of a deployment that the agent has seen or heard of, newest first."""
    table = tables.release
    newest = sa.func.coalesce(table.c.live_since, table.c.deploy_started_at, table.c.first_seen_at).desc()
    query = sa.select(table).where(table.c.deployment == deployment).order_by(newest, table.c.id.desc())
    return [_shown(dict(row._mapping)) for row in tx.execute(query)]


def _shown(view: View) -> View:
    return cast(View, redact(view))


def _incident(tx: sa.Connection, row: Any) -> View:
    runs = tx.execute(sa.select(tables.run).where(tables.run.c.incident == row.id).order_by(tables.run.c.created_at))
    raised = tx.execute(
        sa.select(tables.escalation)
        .where(tables.escalation.c.incident == row.id)
        .order_by(tables.escalation.c.opened_at)
    )
    return {
        "id": row.id,
        "deployment": row.deployment,
        "state": "open" if row.closed_at is None else "closed",
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "runs": [_run(tx, run) for run in runs],
        "escalations": [_escalation(escalation) for escalation in raised],
        "hotfixes": _hotfixes(tx, row),
    }


def _hotfixes(tx: sa.Connection, incident: Any) -> list[View]:
    """The hotfixes of the deployment that were under way, or had failed, at some time of the incident."""
    table = tables.hotfix
    query = sa.select(table).where(
        table.c.deployment == incident.deployment,
        sa.or_(table.c.ended_at.is_(None), table.c.state == "failed", table.c.ended_at >= incident.opened_at),
    )
    if incident.closed_at is not None:
        query = query.where(table.c.started_at <= incident.closed_at)
    return [dict(row._mapping) for row in tx.execute(query.order_by(table.c.started_at))]


def _run(tx: sa.Connection, row: Any) -> View:
    steps = tx.execute(sa.select(tables.step).where(tables.step.c.run == row.id).order_by(tables.step.c.position)).all()
    findings: View = {}
    for step in steps:
        findings |= json.loads(step.output or "{}")
    execution = findings.get("execution") or {}
    return {
        "id": row.id,
        "trigger": row.trigger,
        "state": row.state,
        "phase": row.phase,
        "result": row.result,
        "reason": row.reason,
        "created_at": row.created_at,
        "notified_at": row.notified_at,
        "command_started_at": execution.get("started_at"),
        "command_finished_at": execution.get("finished_at"),
        "finished_at": row.finished_at,
        "report": row.report,
        "decision": findings.get("decision"),
        "plan": _plan(findings.get("plan")),
        "permission": findings.get("permission"),
        "backup": findings.get("backup"),
        "execution": execution or None,
        "verification": findings.get("verification"),
        "diagnosis": findings.get("diagnosis"),
        "approval": _approval(tx, row.id),
        "refusals": [
            {"guardrail": refusal.guardrail, "reason": refusal.reason, "retry_at": refusal.retry_at}
            for refusal in tx.execute(sa.select(tables.refusal).where(tables.refusal.c.run == row.id))
        ],
        "steps": [
            {name: getattr(step, name) for name in ("name", "state", "started_at", "finished_at", "outcome", "summary")}
            for step in steps
        ],
    }


def _plan(plan: View | None) -> View | None:
    if plan is None:
        return None
    return {**plan, "hash": Plan(**{**plan, "command": tuple(plan["command"])}).hash}


def _approval(tx: sa.Connection, run: str) -> View | None:
    row = tx.execute(sa.select(tables.approval).where(tables.approval.c.run == run)).first()
    if row is None:
        return None
    names = ("id", "state", "plan_hash", "opened_at", "expires_at", "need", "decided_at", "decided_by", "comment")
    return {**{name: getattr(row, name) for name in names}, "votes": _votes(tx, row.id)}


def _votes(tx: sa.Connection, approval: str) -> list[View]:
    """Who has approved so far, oldest first."""
    vote = tables.vote
    votes = tx.execute(sa.select(vote).where(vote.c.approval == approval).order_by(vote.c.voted_at))
    return [{name: getattr(one, name) for name in ("person", "voted_at", "comment")} for one in votes]


def _escalation(row: Any) -> View:
    names = (
        "id", "incident", "run", "deployment", "reason", "summary",
        "opened_at", "answered_at", "answered_by", "answer", "comment",
    )  # fmt: skip
    return {
        "state": "open" if row.answered_at is None else "answered",
        **{name: getattr(row, name) for name in names},
    }
