"""What a report concludes from a run: whom it touched, what was lost, who took part, what is next."""

from __future__ import annotations

from receiver import signals
from receiver.durations import clock_time
from receiver.model import Level, Result
from receiver.report.told import Told


def affected_services(told: Told) -> list[str]:
    """The services whose own checks failed, or that answered too often with 5xx, when it was decided."""
    decision = told.run.findings.decision
    return sorted(signals.affected_services(decision.signals if decision else ()))


def data_loss(told: Told) -> str:
    """What this rollback did to data, in a sentence."""
    findings = told.run.findings
    if findings.execution is None or findings.plan is None:
        return "none, since nothing was executed"
    if findings.plan.level in (Level.FAST, Level.MANUAL):
        return "none by this rollback, it changed code only"
    since = f"after {clock_time(findings.claimed_at)}" if findings.claimed_at else "since then"
    return f"what was written to the database {since} may be gone; the backup has what was there before"


def people(told: Told) -> list[dict[str, str | float]]:
    """Who took part, with what they did and when, oldest first."""
    run, approval = told.run, told.view.get("approval")
    found: list[dict[str, str | float]] = []
    if run.requested_by:
        found.append({"person": run.requested_by, "did": "asked for the rollback", "at": run.created_at})
    votes = approval["votes"] if approval else []
    found += [{"person": one["person"], "did": "approved the plan", "at": one["voted_at"]} for one in votes]
    if approval and approval["state"] == "denied":
        found.append({"person": approval["decided_by"], "did": "denied the plan", "at": approval["decided_at"]})
    found += [
        {"person": one["started_by"], "did": "announced a hotfix", "at": one["started_at"]} for one in told.hotfixes
    ]
    return sorted(found, key=lambda one: one["at"])


def next_actions(told: Told) -> list[str]:
    """What people have to do, most urgent first."""
    plan = told.run.findings.plan
    found = [
        f"Answer the escalation ({one['reason'].replace('_', ' ')}) with --done, --retry or --give-up: "
        f"`rollback-agent answer {one['id']}`"
        for one in told.escalations
        if one["state"] == "open"
    ]
    if told.result is Result.RESTORED and plan:
        found.append(
            f"Find the fault of {plan.live_release}, which is held; then "
            f"`rollback-agent release-hold {plan.deployment} {plan.live_release}` or ship another"
        )
    if told.latched:
        found.append(f"Clear the latch when it is understood: `rollback-agent clear {told.run.deployment}`")
    return [*found, "Human review of the incident", "Root cause analysis", "Update the deployment checklist"]
