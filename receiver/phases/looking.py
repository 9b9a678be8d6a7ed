"""Looks whether a deployment is well at this moment; what is missing is never good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from receiver.errors import PrometheusError, TargetError
from receiver.model import Action, Signal, Telemetry
from receiver.world import World

HEALTH = "service:availability:ratio"
BEYOND = "deployment:beyond_threshold:bool"


@dataclass(frozen=True, slots=True)
class Look:
    """What speaks against "all is well" (None: nothing), and what was read of Prometheus (None: nothing)."""

    missing: str | None
    telemetry: Telemetry | None = None

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that were read."""
        return self.telemetry.signals if self.telemetry else ()

    @property
    def firing(self) -> list[str]:
        """The alerts that ask for a rollback."""
        branches = self.telemetry.firing if self.telemetry else ()
        return sorted({branch.alert for branch in branches if branch.action is Action.ROLLBACK})


def look(world: World, since: float, expected: str | None, measured: Iterable[Signal] = ()) -> Look:
    """Live release, fresh signals, health, alerts: in this order, since each means little without those before it.

    Samples count from `since` (Unix seconds) on; `expected` is the release that must be live, and each signal of
    `measured` must be measured again. No threshold stands here: the rules say by `BEYOND` whether a signal is beyond
    its own on its shortest window, and by their alerts whether the longer windows have drained.
    """
    try:
        live = world.target.live().id
        if expected is not None and live != expected:
            return Look(f"{live} is live, not {expected}")
        telemetry = world.prometheus.telemetry(world.deployment)
        health = world.prometheus.samples(world.deployment, HEALTH, since)
    except (TargetError, PrometheusError) as error:
        return Look(str(error))
    fresh = {signal.series for signal in telemetry.signals if signal.value is not None and signal.at > since}
    gone = [signal.series for signal in measured if signal.value is not None and signal.series not in fresh]
    if gone:
        return Look(f"no new sample yet of {', '.join(gone)}", telemetry)
    needed = world.settings.verify.samples_in_a_row
    unhealthy = [
        service
        for service, values in health.items()
        if len(values) < needed or not all(value >= 1 for value in values[-needed:])  # NaN is not good either
    ]
    if not health or unhealthy:
        return Look(f"not yet {needed} good checks in a row: {', '.join(unhealthy) or 'no service'}", telemetry)
    firing = Look(None, telemetry).firing
    if firing:
        return Look(f"{', '.join(firing)} still fires", telemetry)
    is_beyond = any(signal.name == BEYOND and signal.value != 0 for signal in telemetry.signals)
    return Look("a signal is still beyond its threshold" if is_beyond else None, telemetry)
