"""Reads the truth from Prometheus and the target, decides, and writes the plan."""

from __future__ import annotations

from dataclasses import replace

from receiver.decision import choose_target, decide, is_recorded_only
from receiver.errors import PrometheusError, TargetError
from receiver.journal import releases
from receiver.model import (
    Action,
    Decision,
    EscalationReason,
    Findings,
    Level,
    Plan,
    Proceed,
    Result,
    Run,
    Stop,
    Trigger,
)
from receiver.world import World


def evaluate(run: Run, world: World) -> Proceed | Stop:
    """Find the branch that decides; where it asks for a rollback, plan it."""
    decided = _requested(run, world) if run.trigger is Trigger.OPERATOR else _from_tree(run, world)
    if isinstance(decided, Stop):
        return decided
    findings = replace(run.findings, decision=decided)
    if decided.level is None:
        return _stop_without_rollback(decided, findings)
    if is_recorded_only(decided, world.config.decision):
        bound = world.config.decision.ask_from
        return Stop(Result.RECORDED, f"{decided.reason}, but {decided.confidence} is below {bound}", findings)
    try:
        plan = plan_rollback(world, decided.level)
    except TargetError as error:
        full = decided.level is Level.FULL
        why = EscalationReason.DATABASE_OR_FULL if full else EscalationReason.SAFETY_CHECK_FAILED
        return Stop(Result.ASKED, f"{decided.reason}, but no plan can be made: {error}", findings, why)
    if run.trigger is Trigger.ALERT:
        with world.database.write() as tx:
            releases.doubt(tx, world.deployment, plan.live_release)
    summary = f"{decided.reason}: roll back {plan.live_release} to {plan.target_release or 'nothing known good'}"
    return Proceed(replace(findings, plan=plan), summary)


def plan_rollback(world: World, level: Level) -> Plan:
    """The plan that goes from the live release to the newest good one; raises TargetError."""
    live, known = world.target.live(), world.target.known()
    with world.database.read() as tx:
        remembered = releases.known(tx, world.deployment)
    target = choose_target(live, known, remembered)
    # By hand the code is rolled back; what the database needs is more than a command.
    as_if = Level.FAST if level is Level.MANUAL else level
    return Plan(
        deployment=world.deployment,
        level=level,
        live_release=live.id,
        live_commit=live.commit,
        target_release=target.id if target else None,
        target_commit=target.commit if target else None,
        command=world.target.command(as_if, live, target) if target else (),
        timeout=world.target.time_limit(as_if),
    )


def _from_tree(run: Run, world: World) -> Decision | Stop:
    try:
        telemetry = world.prometheus.telemetry(world.deployment)
    except PrometheusError as error:
        return Stop(Result.MISSING_DATA, str(error), run.findings, EscalationReason.MISSING_DATA)
    decision = decide(telemetry)
    if decision is not None:
        return decision
    if telemetry.unreadable:
        names = ", ".join(telemetry.unreadable)
        reason = f"{names} fires as a branch without a branch's labels, so nothing can be decided"
        return Stop(Result.ASKED, reason, run.findings, EscalationReason.UNKNOWN_PATTERN)
    return Stop(Result.NOT_NEEDED, "no branch fires in Prometheus", run.findings)


def _requested(run: Run, world: World) -> Decision:
    try:
        signals = world.prometheus.telemetry(world.deployment).signals
    except PrometheusError:
        signals = ()  # a person may roll back while Prometheus is down; only the verdict will lack its facts
    return Decision(
        branch="operator",
        alert="",
        action=Action.ROLLBACK,
        level=run.wanted_level,
        confidence=1.0,
        reason=f"requested by {run.requested_by}",
        also_firing=(),
        signals=signals,
    )


def _stop_without_rollback(decision: Decision, findings: Findings) -> Stop:
    if decision.action is Action.WATCH:
        return Stop(Result.RECORDED, f"{decision.reason}: it is watched, not rolled back", findings)
    return Stop(Result.ASKED, f"{decision.reason}: a person must look", findings, EscalationReason.BRANCH_ASKS)
