"""Watches Prometheus after the switch until the rollback is verified, or its time is up."""

from __future__ import annotations

from dataclasses import replace

from receiver.errors import PrometheusError, TargetError
from receiver.model import (
    Action,
    Decision,
    EscalationReason,
    Execution,
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
from receiver.world import World

LOOK_AGAIN = 1.0
"""Seconds between two looks."""
AVAILABILITY, HEALTH = "deployment:availability:ratio", "service:availability:ratio"


def verify(run: Run, world: World) -> Outcome:
    """Restored only when everything says so; what is missing is never good."""
    execution, decision = run.findings.require_execution(), run.findings.require_decision()
    switched_at = execution.finished_at
    missing, telemetry = _what_is_missing(run, world, decision, switched_at)
    now = world.clock()
    if missing is None:
        signals = telemetry.signals if telemetry else ()
        verification = Verification(Verdict.RESTORED, "all signals are good again", now, signals)
        return Stop(
            Result.RESTORED,
            f"{run.findings.require_plan().target_release} is live, its checks are good and no branch fires",
            replace(run.findings, verification=verification),
        )
    if now < switched_at + world.settings.verify.timeout:
        return Wait(now + LOOK_AGAIN, missing)
    return _given_up(run, decision, execution, missing, telemetry, now)


def _what_is_missing(
    run: Run, world: World, decision: Decision, switched_at: float
) -> tuple[str | None, Telemetry | None]:
    """What still speaks against "restored" (None: nothing), and what was read of Prometheus (None: nothing)."""
    plan = run.findings.require_plan()
    try:
        live = world.target.live().id
        if live != plan.target_release:
            return f"{live} is live, not {plan.target_release}", None
        telemetry = world.prometheus.telemetry(world.deployment)
        health = world.prometheus.samples(world.deployment, HEALTH, switched_at)
    except (TargetError, PrometheusError) as error:
        return str(error), None
    fresh = {
        signal.series: signal for signal in telemetry.signals if signal.value is not None and signal.at > switched_at
    }
    gone = [signal.series for signal in decision.signals if signal.value is not None and signal.series not in fresh]
    needed = world.settings.verify.samples_in_a_row
    unhealthy = [
        service
        for service, values in health.items()
        if len(values) < needed or not all(value >= 1 for value in values[-needed:])  # NaN is not good either
    ]
    if gone:
        return f"no new sample yet of {', '.join(gone)}", telemetry
    if not health or unhealthy:
        return f"not yet {needed} good checks in a row: {', '.join(unhealthy) or 'no service'}", telemetry
    alerts = _firing(telemetry)
    return (f"{', '.join(alerts)} still fires" if alerts else None), telemetry


def _firing(telemetry: Telemetry) -> list[str]:
    return sorted({branch.alert for branch in telemetry.firing if branch.action is Action.ROLLBACK})


def _given_up(
    run: Run, decision: Decision, execution: Execution, missing: str, telemetry: Telemetry | None, now: float
) -> Stop:
    verdict = _verdict(decision.signals, telemetry, execution.finished_at)
    verification = Verification(verdict, missing, now, telemetry.signals if telemetry else ())
    return Stop(
        Result(verdict.value),
        f"not verified in time: {missing}",
        replace(run.findings, verification=verification),
        EscalationReason.VERIFICATION_FAILED,
        latch=True,
    )


def _verdict(before: tuple[Signal, ...], telemetry: Telemetry | None, switched_at: float) -> Verdict:
    """Worse where availability fell below what it was, without effect where a branch still fires, else not known."""
    after = telemetry.signals if telemetry else ()
    was = next((signal.value for signal in before if signal.name == AVAILABILITY), None)
    now = next((signal.value for signal in after if signal.name == AVAILABILITY and signal.at > switched_at), None)
    if telemetry is None or was is None or now is None:
        return Verdict.INCONCLUSIVE
    if now < was:
        return Verdict.WORSE
    return Verdict.NO_EFFECT if _firing(telemetry) else Verdict.INCONCLUSIVE
