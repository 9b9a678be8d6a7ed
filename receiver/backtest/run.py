"""Replays a period: what was there, what fired, what would have been decided, on which release, at which cost."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from receiver.backtest.activity import Span, Window, active, questions, windows
from receiver.backtest.decisions import DecisionSpan, spans
from receiver.backtest.replay import Fired, replay
from receiver.backtest.rule_set import RuleSet
from receiver.backtest.samples import History
from receiver.config import DecisionBounds

FAILED_REQUESTS = (
    "sum by (deployment) ("
    "service:http_requests:rate1m * service:http_request_errors:ratio_rate1m"
    " or service:http_requests:rate5m * service:http_request_errors:ratio_rate5m)"
)
"""Requests a second that were answered with 5xx."""

Progress = Callable[[float, float], None]
"""Told what was done and what there is to do, in the same unit."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What would have been decided in a period."""

    span: Span
    decisions: tuple[DecisionSpan, ...]
    deployments: tuple[str, ...]
    """Those on which any condition held at any time."""
    steps: int
    """How many were evaluated by promtool; the conditions of no branch held in the others."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays rules over what one Prometheus remembers; `promtool` is the program, `bounds` the agent's."""

    history: History
    promtool: str
    bounds: DecisionBounds
    is_wanted: Callable[[str], bool]
    known: dict[Hashable, list[Fired]] = field(default_factory=dict)
    """What was replayed already: of a sweep, most windows are the same for each value."""

    def run(self, rules: RuleSet, span: Span, progress: Progress = lambda _done, _all: None) -> Replayed:
        """What the rules would have decided; raises BacktestError or PrometheusError."""
        asked, to_ask = 0, questions(rules, span)

        def tell() -> None:
            nonlocal asked
            asked += 1
            progress(asked / to_ask, 2)  # half of the work, as far as anybody can tell before

        found = active(self.history, rules, span, self.is_wanted, tell)
        # The longest first, so that none is left when the others are done.
        todo = sorted(windows(found, rules, span), key=lambda one: one.first - one.last)
        fired: dict[str, list[Fired]] = {}
        work = sum(map(_steps, todo))
        done = 0
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            running = {pool.submit(self._fired, one, span): one for one in todo}
            try:
                for future in as_completed(running):
                    window = running[future]
                    fired.setdefault(window.deployment, []).extend(future.result())
                    done += _steps(window)
                    progress(1 + done / work, 2)
            finally:
                pool.shutdown(cancel_futures=True)
        progress(2, 2)
        decisions = [
            one for name, moments in sorted(fired.items()) for one in spans(name, moments, span.step, self.bounds)
        ]
        evaluated = sum(_steps(one) + one.lead(span.step) for one in todo)
        return Replayed(span, tuple(sorted(decisions, key=lambda one: one.since)), tuple(sorted(found)), evaluated)

    def _fired(self, window: Window, span: Span) -> list[Fired]:
        """What fired in a window; the same window with the same rules is replayed once."""
        key = (window.deployment, window.busy, span, json.dumps(window.rules.as_file(0)))
        if key not in self.known:
            self.known[key] = replay(self.history, window, span, self.promtool)
        return self.known[key]

    def release_at(self, deployment: str, at: float) -> tuple[str | None, float | None]:
        """The id of the release that was live, and the seconds since it went live, as far as they are known."""
        release, age = None, None
        for one in self.history.query_range("release_info", at, at, 1):
            if one.metric.get("deployment") == deployment:
                release = one.metric.get("release")
        for one in self.history.query_range("deployment:release_age:seconds", at, at, 1):
            if one.metric.get("deployment") == deployment and one.values:
                age = one.values[-1][1]
        return release, age

    def failed_requests(self, span: Span, periods: Iterable[tuple[str, float, float]]) -> FailedRequests:
        """How many requests failed in each of these periods of a deployment."""
        asked = tuple(periods)
        step = _coarse(max((until - since for _, since, until in asked), default=0.0), span.step)
        found = FailedRequests(step, {})
        for deployment, since, until in asked:
            for one in self.history.query_range(FAILED_REQUESTS, since, until, step):
                if one.metric.get("deployment") == deployment:
                    known = found.rates.setdefault(deployment, {})
                    known.update({at: rate for at, rate in one.values if math.isfinite(rate)})
        return found


@dataclass(frozen=True, slots=True)
class FailedRequests:
    """Requests a second that failed, by deployment and moment `step` seconds apart; each rate holds until the next."""

    step: int
    rates: dict[str, dict[float, float]]

    def __call__(self, deployment: str, since: float, until: float) -> float:
        """How many failed between two moments, to a thousandth of a request."""
        inside = sorted((at, rate) for at, rate in self.rates.get(deployment, {}).items() if since <= at <= until)
        ends = [at for at, _ in inside[1:]] + [until]
        # A gap is no failure: nothing is known of it.
        failed = sum(rate * min(end - at, 2 * self.step) for (at, rate), end in zip(inside, ends, strict=True))
        # Prometheus adds up services in any order, so the last bits of its sums differ from one answer to the next.
        return round(failed, 3)


def _coarse(longest: float, step: int) -> int:
    """A step with which Prometheus answers at once for so many seconds."""
    return step * max(math.ceil(longest / step / 10_000), 1)


def _steps(window: Window) -> int:
    return window.last - window.first + 1
