"""Watches Prometheus after the switch until the rollback is verified, or its time is up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from receiver.errors import PrometheusError, TargetError
from receiver.journal import releases
from receiver.model import (
    Action,
    EscalationReason,
    Outcome,
    Result,
    Run,
    Signal,
    Stop,
    Telemetry,
    Verdict,
    Verification,
    Wait,
)
from receiver.signals import worsened, worst
from receiver.world import World

LOOK_AGAIN = 1.0
"""Seconds between two looks."""
HEALTH = "service:availability:ratio"


@dataclass(frozen=True, slots=True)
class _Look:
    """What still speaks against "restored" (None: nothing), and what was read of Prometheus (None: nothing)."""

    missing: str | None
    telemetry: Telemetry | None = None

    @property
    def signals(self) -> tuple[Signal, ...]:
        return self.telemetry.signals if self.telemetry else ()

    @property
    def firing(self) -> list[str]:
        """The alerts that still ask for a rollback."""
        branches = self.telemetry.firing if self.telemetry else ()
        return sorted({branch.alert for branch in branches if branch.action is Action.ROLLBACK})


def verify(run: Run, world: World) -> Outcome:
    """Restored only when everything says so; what is missing is never good."""
    switched_at = run.findings.require_execution().finished_at
    look = _look(run, world, switched_at)
    now = world.clock()
    if look.missing is None:
        target = run.findings.require_plan().target_release
        reason = f"{target} is live, its checks are good and no branch fires"
        return _end(run, world, Verdict.RESTORED, "all signals are good again", look, now, reason)
    if now < switched_at + world.settings.verify.timeout:
        return Wait(now + LOOK_AGAIN, look.missing)
    verdict = _verdict(run, look, switched_at)
    return _end(run, world, verdict, look.missing, look, now, f"not verified in time: {look.missing}")


def _look(run: Run, world: World, switched_at: float) -> _Look:
    """Live release, fresh signals, health, alerts: in this order, since each means little without those before it.

    The rules end an alert by the shortest window that its signals have, so an alert that is silent on fresh signals
    says that these are back under their thresholds; no threshold stands here.
    """
    plan, decision = run.findings.require_plan(), run.findings.require_decision()
    try:
        live = world.target.live().id
        if live != plan.target_release:
            return _Look(f"{live} is live, not {plan.target_release}")
        telemetry = world.prometheus.telemetry(world.deployment)
        health = world.prometheus.samples(world.deployment, HEALTH, switched_at)
    except (TargetError, PrometheusError) as error:
        return _Look(str(error))
    fresh = {
        signal.series: signal for signal in telemetry.signals if signal.value is not None and signal.at > switched_at
    }
    gone = [signal.series for signal in decision.signals if signal.value is not None and signal.series not in fresh]
    if gone:
        return _Look(f"no new sample yet of {', '.join(gone)}", telemetry)
    needed = world.settings.verify.samples_in_a_row
    unhealthy = [
        service
        for service, values in health.items()
        if len(values) < needed or not all(value >= 1 for value in values[-needed:])  # NaN is not good either
    ]
    if not health or unhealthy:
        return _Look(f"not yet {needed} good checks in a row: {', '.join(unhealthy) or 'no service'}", telemetry)
    firing = _Look(None, telemetry).firing
    return _Look(f"{', '.join(firing)} still fires" if firing else None, telemetry)


def _verdict(run: Run, look: _Look, switched_at: float) -> Verdict:
    """What it is when the time is up: worse, without effect, or not known, which is neither."""
    now = [signal for signal in look.signals if signal.at > switched_at]
    if worsened(run.findings.require_decision().signals, now):
        return Verdict.WORSE
    is_live = look.telemetry is not None
    return Verdict.NO_EFFECT if is_live and now and look.firing else Verdict.INCONCLUSIVE


def _end(run: Run, world: World, verdict: Verdict, why: str, look: _Look, now: float, reason: str) -> Stop:
    verification = Verification(verdict, why, now, look.signals, _worst(run, world, now))
    findings = replace(run.findings, verification=verification)
    if verdict is Verdict.RESTORED:
        return Stop(Result.RESTORED, reason, findings)
    if verdict is Verdict.NO_EFFECT:
        # What is wrong is wrong with the other release too: the one that was rolled back is not to blame.
        plan = run.findings.require_plan()
        with world.database.write() as tx:
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
