"""What the conditions of a rule compare at this moment, for one deployment and each of its services."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from receiver.prometheus_api import Series
from receiver.tree.conditions import COMPARISONS, Condition, Expression, Operand

DEPLOYMENT, SERVICE = "deployment", "service"

Values = Mapping[str, Sequence[Series]]
"""What each query gives now."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both sides of a comparison, for a service or for the whole deployment.

    NaN says that there was nothing to divide by; a threshold of None that the right side has no value.
    """

    service: str | None
    value: float
    threshold: float | None
    holds: bool
    excess: float
    """How far beyond the threshold it is; negative where it falls short, NaN where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A condition with its readings, the worst first; without readings there is no data."""

    condition: Condition
    readings: tuple[Reading, ...]

    @property
    def holds(self) -> bool:
        """Whether it holds for any service."""
        return any(one.holds for one in self.readings)

    def holds_of(self, service: str | None) -> bool:
        """Whether it holds for that service."""
        reading = self.of(service)
        return reading is not None and reading.holds

    def of(self, service: str | None) -> Reading | None:
        """The reading of that service, or else the worst."""
        return next((one for one in self.readings if one.service == service), next(iter(self.readings), None))


def by_deployment(values: Values) -> dict[str, dict[str, list[Series]]]:
    """The same, by the label `deployment` first; what has none stands under the empty name."""
    found: dict[str, dict[str, list[Series]]] = {}
    for query, elements in values.items():
        for one in elements:
            found.setdefault(one.metric.get(DEPLOYMENT, ""), {}).setdefault(query, []).append(one)
    return found


def measure(expression: Expression, values: Mapping[str, Values], deployment: str) -> tuple[Measured, ...]:
    """The conditions of a rule with what they compare on `deployment`; `values` are by deployment."""

    def elements(operand: Operand) -> Sequence[Series]:
        own = values.get(deployment, {}).get(operand.query)
        return own or values.get("", {}).get(operand.query, ())

    conditions = expression.conditions
    measured = [Measured(one, _readings(one, elements(one.left), elements(one.right))) for one in conditions]
    return tuple(_guarded(one, measured[place + 1 :][: one.condition.guards]) for place, one in enumerate(measured))


def _guarded(measured: Measured, guards: Sequence[Measured]) -> Measured:
    """The same, holding only where its guards do."""
    if not guards:
        return measured
    readings = (
        replace(one, holds=one.holds and all(guard.holds_of(one.service) for guard in guards))
        for one in measured.readings
    )
    return replace(measured, readings=tuple(readings))


def _readings(condition: Condition, left: Sequence[Series], right: Sequence[Series]) -> tuple[Reading, ...]:
    readings = [_reading(condition, one, right) for one in left]
    # What is no number is worse than nothing and better than any number.
    return tuple(sorted(readings, key=lambda one: -math.inf if math.isnan(one.excess) else one.excess, reverse=True))


def _reading(condition: Condition, one: Series, right: Sequence[Series]) -> Reading:
    value, service = _number(one), one.metric.get(SERVICE)
    threshold = condition.right.literal
    if threshold is None:
        # A right side without a service, or without any label, holds for each of them.
        same = [other for other in right if other.metric.get(SERVICE) in (service, None)]
        threshold = next(map(_number, same), None)
    if threshold is None:
        return Reading(service, value, None, False, math.nan)
    holds = COMPARISONS[condition.operator](value, threshold)
    return Reading(service, value, threshold, holds, _excess(condition.operator, value, threshold))


def _excess(operator: str, value: float, threshold: float) -> float:
    match operator:
        case ">" | ">=":
            return value - threshold
        case "<" | "<=":
            return threshold - value
        case "==":
            return -abs(value - threshold)
        case _:
            return abs(value - threshold)


def _number(one: Series) -> float:
    return math.nan if one.value is None else one.value[1]
