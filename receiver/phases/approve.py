"""Lets the plan pass by autonomy, or puts it to a person and waits for the answer."""

from __future__ import annotations

from dataclasses import replace

from receiver.decision import Question, why_ask
from receiver.diagnosis import diagnose
from receiver.durations import in_words
from receiver.errors import PrometheusError
from receiver.journal import approvals, escalations
from receiver.journal.approvals import Approval, ApprovalState
from receiver.log import get_log
from receiver.model import (
    SHORT_HASH,
    Action,
    Autonomy,
    EscalationReason,
    Outcome,
    Permission,
    Proceed,
    Result,
    Run,
    Stop,
    Trigger,
    Wait,
)
from receiver.phases.guard import switched_off
from receiver.world import World

LOOK_AGAIN = 10.0
"""Seconds between two looks at whether the alert still fires while a person is asked."""


def approve(run: Run, world: World) -> Outcome:
    """Silence is not consent: an approval that is not given in time escalates."""
    decision = run.findings.require_decision()
    autonomy = world.config.autonomy_of(world.deployment)
    if autonomy in (Autonomy.L1, Autonomy.L2) and run.trigger is Trigger.ALERT:
        return Stop(
            Result.RECORDED,
            f"autonomy level {autonomy} decides and reports, it does not roll back",
            run.findings,
        )
    question = why_ask(decision, run.trigger, autonomy, world.config.decision)
    if question is None:
        reason = f"autonomy {autonomy}, confidence {decision.confidence}"
        permission = Permission(by=f"autonomy {autonomy}", reason=reason, at=world.clock())
        return Proceed(replace(run.findings, permission=permission), f"allowed by {reason}")
    return _ask(run, world, question)


def _ask(run: Run, world: World, question: Question) -> Outcome:
    plan = run.findings.require_plan()
    with world.database.read() as tx:
        asked = approvals.of_run(tx, run.id)
    is_open = asked is None or asked.state is ApprovalState.PENDING
    if is_open and (stop := switched_off(run, world)):
        return stop
    is_new = asked is None
    with world.database.write() as tx:
        now = world.database.now(tx)
        approval = approvals.ask(tx, run, plan, now, now + world.config.approval.expires_after)
        command = f"rollback-agent approve {run.incident} --plan {plan.hash[:SHORT_HASH]}"
        if is_new and question.escalation:
            summary = f"{question.reason}; confirm with: {command}"
            escalations.open_one(
                tx, run.deployment, question.escalation, summary, now, incident=run.incident, run=run.id
            )
    if is_new:
        world.audit.record(
            "approval_requested", question.reason, deployment=run.deployment, run=run.id, facts={"plan_hash": plan.hash}
        )
        get_log().warning("a person must confirm the rollback", why=question.reason, confirm_with=command)
    match approval.state:
        case ApprovalState.APPROVED:
            return _approved(run, approval)
        case ApprovalState.DENIED:
            reason = f"denied by {approval.decided_by}" + (f": {approval.comment}" if approval.comment else "")
            return Stop(Result.DENIED, reason, run.findings, latch=True)
        case ApprovalState.EXPIRED:
            return _expired(run, world)
        case ApprovalState.WITHDRAWN:
            return Stop(Result.WITHDRAWN, "the alert cleared while a person was asked", run.findings)
        case ApprovalState.PENDING:
            return _pending(run, world, approval, now)


def _pending(run: Run, world: World, approval: Approval, now: float) -> Outcome:
    ending = None
    if approval.is_over(now):
        ending = ApprovalState.EXPIRED
    elif run.trigger is Trigger.ALERT and not _still_needed(world):
        ending = ApprovalState.WITHDRAWN
    if ending is None:
        # Only now that the person is asked: nobody waits for the diagnosis, and who decides has it.
        findings = replace(run.findings, diagnosis=run.findings.diagnosis or diagnose(world))
        return Wait(min(approval.expires_at, now + LOOK_AGAIN), "waiting for a person's approval", findings)
    with world.database.write() as tx:
        if not approvals.end(tx, approval, ending, now):
            return Wait(now, "a person has just answered")
    if ending is ApprovalState.EXPIRED:
        return _expired(run, world)
    return Stop(Result.WITHDRAWN, "the alert cleared while a person was asked", run.findings)


def _approved(run: Run, approval: Approval) -> Proceed:
    person = approval.decided_by or "unknown"
    permission = Permission(person, approval.comment or "approved", approval.decided_at or approval.opened_at)
    return Proceed(replace(run.findings, permission=permission), f"approved by {person}")


def _expired(run: Run, world: World) -> Stop:
    period = in_words(world.config.approval.expires_after)
    reason = f"nobody answered within {period}, and silence is not consent"
    return Stop(Result.EXPIRED, reason, run.findings, EscalationReason.APPROVAL_EXPIRED)


def _still_needed(world: World) -> bool:
    """Whether a rollback branch fires; not knowing withdraws nothing, since the guardrails are asked again anyway."""
    try:
        telemetry = world.prometheus.telemetry(world.deployment)
    except PrometheusError:
        return True
    return any(branch.action is Action.ROLLBACK for branch in telemetry.firing)
