"""Which way each signal of the tree is bad, so that what was before, meanwhile and after can be compared."""

from __future__ import annotations

from collections.abc import Iterable

from receiver.model import History, Signal

MUCH = 0.10
"""A share that has moved by more than this has changed (ours; the tree's own step from 5xx to too many of them)."""
_HEALTH, _ERRORS = "service:availability:ratio", "service:http_request_errors:ratio_rate1m"
_MANY = 0.05
"""The share of 5xx from which a service counts as affected (the guide's warning level)."""
_LOW_IS_BAD = (
    "deployment:availability:ratio",
    "service:availability:ratio",
    "deployment:authentication:ratio",
    "deployment:payment:ratio",
    "deployment:database:ratio",
    "deployment:ui:ratio",
)
_HIGH_IS_BAD = (
    "service:http_request_errors:ratio_rate1m",
    "service:http_request_errors:ratio_rate5m",
    "deployment:users_affected:ratio",
    "service:http_request_duration_seconds:mean5m",
)
_SHARES = (*_LOW_IS_BAD, "service:http_request_errors:ratio_rate1m")
"""Those that say within a minute how it is now; the others remember five minutes."""


def worsened(before: Iterable[Signal], after: Iterable[Signal]) -> tuple[str, ...]:
    """The shares that are worse by MUCH than they were, as a person would name them."""
    was = {signal.series: signal.value for signal in before}
    return tuple(
        signal.series
        for signal in after
        if signal.name in _SHARES and signal.value is not None and _is_worse(signal, was.get(signal.series))
    )


def worst(history: Iterable[History], since: float, until: float) -> tuple[Signal, ...]:
    """The worst sample of each signal between two moments (Unix seconds), where one says which way is bad."""
    found = []
    for one in history:
        points = [(value, at) for at, value in one.points if since <= at <= until]
        if points and one.name in (*_LOW_IS_BAD, *_HIGH_IS_BAD):
            value, at = min(points) if one.name in _LOW_IS_BAD else max(points)
            found.append(Signal(one.name, one.service, value, at))
    return tuple(sorted(found, key=lambda signal: signal.series))


def affected_services(signals: Iterable[Signal]) -> set[str]:
    """The services whose own checks fail, or that answer too often with 5xx."""
    return {
        signal.service
        for signal in signals
        if signal.service and signal.value is not None
        if (signal.name == _HEALTH and signal.value < 1) or (signal.name == _ERRORS and signal.value > _MANY)
    }


def _is_worse(signal: Signal, was: float | None) -> bool:
    if was is None or signal.value is None:
        return False
    change = signal.value - was
    return (-change if signal.name in _LOW_IS_BAD else change) > MUCH
