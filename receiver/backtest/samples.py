"""Takes the series that rules read out of history, in the notation of promtool's unit tests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Protocol

from receiver.prometheus_api import Series

POINTS = 2_500
"""Moments that are asked for at once; Prometheus gives at most 11,000, and an answer has a limit."""
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
Labels = tuple[tuple[str, str], ...]


class History(Protocol):
    """A Prometheus that remembers."""

    def query_range(self, promql: str, since: float, until: float, step: int) -> tuple[Series, ...]:
        """The series of a query at each `step` seconds between two moments; raises PrometheusError."""
        ...


def slices(since: float, until: float, step: int) -> Iterator[tuple[float, float]]:
    """The first and last moments of the parts in which a period is asked for."""
    count = int((until - since) // step) + 1
    for first in range(0, count, POINTS):
        yield since + first * step, since + (min(first + POINTS, count) - 1) * step


def taken(
    history: History, selectors: Iterable[str], deployment: str, since: float, until: float, step: int
) -> dict[Labels, str]:
    """What the selectors find of a deployment, or of none, as promtool's `values`, one for each step; by labels.

    Two questions tell what can be read at a moment (a sample remains readable for minutes) from what was measured in
    the step before it, so that a gap stays a gap for those who look back, and a series that ended has its end mark.
    """
    readable: dict[Labels, dict[int, float]] = {}
    measured: dict[Labels, dict[int, float]] = {}
    for selector in _of(deployment, selectors):
        for query, found in (
            (selector, readable),
            # Not the whole step: the beginning of a range belongs to it in Prometheus 2 and not in 3.
            (f"last_over_time({selector}[{step * 1000 - 1}ms])", measured),
        ):
            for first, last in slices(since, until, step):
                for one in history.query_range(query, first, last, step):
                    if one.metric.get("deployment", deployment) == deployment:
                        moments = found.setdefault(tuple(sorted(one.metric.items())), {})
                        moments.update((round((at - since) / step), value) for at, value in one.values)
    count = int((until - since) // step) + 1
    return {labels: notation(_values(moments, measured.get(labels, {}), count)) for labels, moments in readable.items()}


def _of(deployment: str, selectors: Iterable[str]) -> Iterator[str]:
    """The same of one deployment, or of none; those of a name alone are asked for together."""
    own = f'deployment=~"{_escaped(re.escape(deployment))}|"'
    told = sorted(selectors)
    if names := [one for one in told if _NAME.fullmatch(one)]:
        yield f'{{__name__=~"{"|".join(names)}",{own}}}'
    for selector in told:
        if selector not in names:
            yield f"{selector[:-1]},{own}}}" if selector.endswith("}") else f"{selector}{{{own}}}"


def _values(readable: Mapping[int, float], measured: Mapping[int, float], count: int) -> Iterator[str]:
    ended = True
    for place in range(count):
        if place not in readable:
            yield "_" if ended else "stale"
            ended = True
        elif place in measured or ended:
            yield _number(readable[place])
            ended = False
        else:
            yield "_"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)).normalize(), "f")


def notation(values: Iterable[str]) -> str:
    """The values as promtool reads them: what repeats is written once."""
    return " ".join(_run(value, len(list(same))) for value, same in groupby(values))


def _run(value: str, length: int) -> str:
    if value == "_":
        return f"_x{length}"
    if length == 1 or not value[-1].isdigit():
        return " ".join([value] * length)
    return f"{value}x{length - 1}"


def series_of(labels: Labels) -> str:
    """The series as promtool reads it."""
    name = dict(labels).get("__name__", "")
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels if key != "__name__")
    return f"{name}{{{pairs}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
