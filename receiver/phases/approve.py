"""Lets the plan pass by autonomy, or puts it to people and waits for their answer."""

from __future__ import annotations

from dataclasses import replace

from receiver.decision import Question, decide
from receiver.diagnosis import diagnose
from receiver.durations import in_words
from receiver.earned import of_run
from receiver.errors import PrometheusError
from receiver.journal import approvals, escalations, judgements
from receiver.journal.approvals import Approval, ApprovalState
from receiver.journal.moments import Moment
from receiver.judgements import ASKED, Asked
from receiver.log import get_log
from receiver.model import (
    SHORT_HASH,
    Action,
    Autonomy,
    EscalationReason,
    Judged,
    Level,
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
    in_force = of_run(world, run)
    autonomy = in_force.level
    if autonomy in (Autonomy.L1, Autonomy.L2) and run.trigger is Trigger.ALERT:
        reason = f"autonomy level {autonomy} decides and reports, it does not roll back"
        return Stop(Result.RECORDED, reason, run.findings)
    with world.database.read() as tx:
        asked, now = approvals.of_run(tx, run.id), world.database.now(tx)
    if asked is not None:  # a level that was raised since does not answer for the person
        return _look(run, world, asked, now)
    question, judged = ASKED.judge(Asked(decision, run.trigger, autonomy, world.config.decision, in_force.earned_by))
    if question is None and decision.level is Level.MANUAL:
        by = run.requested_by or "whoever does it"
        permission = Permission(by=by, reason="a person carries it out", at=world.clock())
        return Proceed(replace(run.findings, permission=permission), "a person carries it out by hand", judged)
    if question is None:
        how = f", {in_force.earned_by}" if in_force.earned_by else ""
        reason = f"autonomy {autonomy}{how}, confidence {decision.confidence}"
        permission = Permission(by=f"autonomy {in_force}", reason=reason, at=world.clock())
        return Proceed(replace(run.findings, permission=permission), f"allowed by {reason}", judged)
    return switched_off(run, world) or _look(run, world, _ask(run, world, question, judged), now)


def _ask(run: Run, world: World, question: Question, judged: Judged) -> Approval:
    plan, settings = run.findings.require_plan(), world.config.approval
    command = f"rollback-agent approve {run.incident} --plan {plan.hash[:SHORT_HASH]}"
    with world.database.write() as tx:
        now = world.database.now(tx)
        approval = approvals.ask(tx, run, plan, now, now + settings.expires_after, settings.people)
        judgements.keep(tx, run, approve.__name__, now, judged)
        if question.escalation:
            summary = f"{question.reason}; confirm with: {command}"
            escalations.open_one(
                tx, run.deployment, question.escalation, summary, now, incident=run.incident, run=run.id
            )
        world.audit.record(
            "approval_requested",
            question.reason,
            deployment=run.deployment,
            run=run.id,
            facts={"plan_hash": plan.hash, "people": approval.need},
        )
    get_log().warning(
        "a person must confirm the rollback", why=question.reason, people=approval.need, confirm_with=command
    )
    return approval


def _look(run: Run, world: World, approval: Approval, now: Moment) -> Outcome:
    match approval.state:
        case ApprovalState.APPROVED:
            return _approved(run, approval)
        case ApprovalState.DENIED:
            reason = f"denied by {approval.decided_by}" + (f": {approval.comment}" if approval.comment else "")
            return Stop(Result.DENIED, reason, run.findings, latch=True)
        case ApprovalState.EXPIRED:
            return _expired(run, world)
        case ApprovalState.WITHDRAWN:  # by a life that ended before it could say more
            return Stop(Result.WITHDRAWN, "the question was taken back", run.findings)
        case ApprovalState.PENDING:
            return switched_off(run, world) or _pending(run, world, approval, now)


def _pending(run: Run, world: World, approval: Approval, now: Moment) -> Outcome:
    overtaken = None
    if approval.is_over(now):
        ending, stop = ApprovalState.EXPIRED, _expired(run, world)
    elif run.trigger is Trigger.ALERT and (overtaken := _overtaken(run, world)):
        ending, stop = ApprovalState.WITHDRAWN, overtaken
    else:
        # Only now that the person is asked: nobody waits for the diagnosis, and who decides has it.
        findings = replace(run.findings, diagnosis=run.findings.diagnosis or diagnose(world))
        return Wait(min(approval.expires_at, now + LOOK_AGAIN), _waiting_for(approval), findings)
    with world.database.write() as tx:
        if not approvals.end(tx, approval, ending, now):
            return Wait(now, "a person has just answered")
    return stop


def _overtaken(run: Run, world: World) -> Stop | None:
    """The stop of a question that no longer is the one to ask, since its alert has cleared or a higher branch fires.

    Not knowing takes nothing back, since the guardrails are asked again anyway.
    """
    try:
        telemetry = world.prometheus.telemetry(world.deployment)
    except PrometheusError:
        return None
    if not any(branch.action is Action.ROLLBACK for branch in telemetry.firing):
        return Stop(Result.WITHDRAWN, "the alert cleared while a person was asked", run.findings)
    asked_for, deciding = run.findings.require_decision(), decide(telemetry)
    if deciding is None or deciding.action is not Action.ROLLBACK or not deciding.outranks(asked_for):
        return None
    reason = f"{deciding.reason}, which goes before {asked_for.alert}: a new run plans anew"
    return Stop(Result.UPGRADED, reason, run.findings)


def _waiting_for(approval: Approval) -> str:
    if not approval.voters:
        return "waiting for a person's approval" if approval.need == 1 else f"waiting for {approval.need} approvals"
    return f"waiting for another approval: {len(approval.voters)} of {approval.need}, by {', '.join(approval.voters)}"


def _approved(run: Run, approval: Approval) -> Proceed:
    people = approval.decided_by or "unknown"
    permission = Permission(people, approval.comment or "approved", approval.decided_at or approval.opened_at)
    return Proceed(replace(run.findings, permission=permission), f"approved by {people}")


def _expired(run: Run, world: World) -> Stop:
    period = in_words(world.config.approval.expires_after)
    reason = f"nobody answered within {period}, and silence is not consent"
    return Stop(Result.EXPIRED, reason, run.findings, EscalationReason.APPROVAL_EXPIRED)
