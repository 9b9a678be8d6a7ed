"""Watches Prometheus after the switch until the rollback is verified, or its time is up."""

from __future__ import annotations

from dataclasses import replace

from receiver.errors import PrometheusError
from receiver.journal import releases, runs
from receiver.model import (
    EscalationReason,
    Outcome,
    Result,
    Run,
    Signal,
    Stop,
    Trigger,
    Verdict,
    Verification,
    Wait,
)
from receiver.phases.looking import Look, look
from receiver.signals import worsened, worst
from receiver.world import World

LOOK_AGAIN = 1.0
"""Seconds between two looks."""


def verify(run: Run, world: World) -> Outcome:
    """Restored only when everything says so; what is missing is never good."""
    switched_at = run.findings.require_execution().finished_at
    target, before = run.findings.require_plan().target_release, run.findings.require_decision().signals
    found = look(world, switched_at, str(target), before)
    now = world.clock()
    if switched_at > now + world.config.prometheus.max_age:
        # Until the clock is there again nothing would count as measured since, nor would the time be up.
        why = "the command seems to end only later: the clock was set back"
        return _end(run, world, Verdict.INCONCLUSIVE, why, found, now, f"not verified: {why}")
    if found.missing is None or now >= switched_at + world.settings.verify.timeout:
        found = _forgotten(run, world) or found
    if found.missing is None:
        reason = f"{target} is live, its checks are good and no branch fires"
        return _end(run, world, Verdict.RESTORED, "every check is good and no branch fires", found, now, reason)
    if now < switched_at + world.settings.verify.timeout:
        return Wait(now + LOOK_AGAIN, found.missing)
    verdict = _verdict(run, found, switched_at)
    return _end(run, world, verdict, found.missing, found, now, f"not verified in time: {found.missing}")


def _forgotten(run: Run, world: World) -> Look | None:
    """Nothing, where who answers knows nothing of what was decided on: it is another one, or has lost its data."""
    if run.trigger is not Trigger.ALERT:
        return None
    since, until = run.created_at - world.config.prometheus.max_age, run.findings.require_execution().started_at
    try:
        if world.prometheus.fired(world.deployment, since, until):
            return None
    except PrometheusError as error:
        return Look(str(error))
    alert = run.findings.require_decision().alert
    return Look(f"Prometheus does not remember {alert}: it is not the one that told of it, or has lost its data")


def _verdict(run: Run, found: Look, switched_at: float) -> Verdict:
    """What it is when the time is up: worse, without effect, or not known, which is neither."""
    now = [signal for signal in found.signals if signal.at > switched_at]
    if worsened(run.findings.require_decision().signals, now):
        return Verdict.WORSE
    is_live = found.telemetry is not None
    return Verdict.NO_EFFECT if is_live and now and found.firing else Verdict.INCONCLUSIVE


def _end(run: Run, world: World, verdict: Verdict, why: str, found: Look, now: float, reason: str) -> Stop:
    verification = Verification(verdict, why, now, found.signals, _worst(run, world, now))
    findings = replace(run.findings, verification=verification)
    if verdict is Verdict.RESTORED:
        return Stop(Result.RESTORED, reason, findings)
    if verdict is Verdict.NO_EFFECT:
        # What is wrong is wrong with the other release too: the one that was rolled back is not to blame.
        plan = run.findings.require_plan()
        with world.database.write() as tx:
            runs.still_held(tx, run)
            releases.end_hold_of(tx, world.deployment, plan.live_release, run.id)
        reason = f"{reason}; {plan.live_release} is not to blame and is no longer held"
    is_latched = verdict is not Verdict.NO_EFFECT
    return Stop(Result(verdict.value), reason, findings, EscalationReason.VERIFICATION_FAILED, latch=is_latched)


def _worst(run: Run, world: World, now: float) -> tuple[Signal, ...]:
    """Each signal at its worst since the command was started; none where Prometheus does not tell."""
    since = run.findings.require_execution().started_at
    try:
        return worst(world.prometheus.history(world.deployment, since, now), since, now)
    except PrometheusError:
        return ()
