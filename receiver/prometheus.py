"""Asks Prometheus what fires and what the signals are; an incomplete answer is an error, never a fact."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

from receiver.branch_labels import read_branches
from receiver.errors import PrometheusError
from receiver.model import Action, Demand, History, Signal, Storm, Telemetry
from receiver.prometheus_api import PrometheusApi, Series

# A day's mean is recorded every two minutes only, and says nothing of this moment.
_SIGNALS = '__name__=~"deployment:.+|service:.+",__name__!~".+:mean1d"'
_BRANCH = 'branch!=""'
HISTORY_POINTS = 240
"""As many as a chart of a report can show side by side."""
_AVAILABILITY = "deployment:availability:ratio"


class Prometheus:
    """One Prometheus server, over its HTTP API. `timeout` and `max_age` are in seconds."""

    def __init__(self, url: str, timeout: float, max_age: float, clock: Callable[[], float]) -> None:
        api = PrometheusApi(url, timeout)
        self._query, self._query_range = api.query, api.query_range
        self._max_age = max_age
        self._clock = clock

    def telemetry(self, deployment: str) -> Telemetry:
        """What fires on `deployment` and its signals; raises PrometheusError where that is not known.

        A Prometheus that answers but has no sample of any signal newer than `max_age` does not know either.
        """
        read_at = self._clock()
        labels = f'deployment="{_escaped(deployment)}"'
        firing = self._firing_query(f"{_BRANCH},{labels}")
        alerts = self._query(firing)
        # A range selector gives raw samples with their own times; an instant vector would hide how old they are.
        lookback = max(int(self._max_age), 1)
        samples = f"{{{_SIGNALS},{labels}}}[{lookback}s]"
        series = self._query(samples)
        signals = tuple(filter(None, (self._signal(one, read_at) for one in series)))
        if not signals:
            raise PrometheusError(
                f"Prometheus has no signal of {deployment} from the last {lookback} s, so nothing is known about it"
            )
        branches, unreadable = read_branches(one.metric for one in alerts)
        ordered = tuple(sorted(signals, key=lambda s: s.series))
        return Telemetry(read_at, branches, unreadable, ordered, (firing, samples))

    def deciding(self) -> dict[str, Demand | None]:
        """The deployments on which any branch fires, with what decides; None where no branch can be read."""
        by_deployment: defaultdict[str, list[Series]] = defaultdict(list)
        for alert in self._firing(_BRANCH):
            by_deployment[alert.metric.get("deployment", "")].append(alert)
        return {deployment: _first_demand(alerts) for deployment, alerts in by_deployment.items()}

    def quiet_for(self, deployment: str, seconds: float) -> bool:
        """Whether all through the last `seconds` the deployment was measured and no branch was pending or firing."""
        self.telemetry(deployment)  # raises where nothing is known
        period, labels = math.ceil(seconds), f'deployment="{_escaped(deployment)}"'
        if self._query(f'ALERTS{{branch!="",{labels}}}[{period}s]'):
            return False
        # No alert says nothing of a time in which nobody looked.
        now = self._clock()
        measured = self._query(f"{_AVAILABILITY}{{{labels}}}[{period}s]")
        moments = [now - seconds, *sorted(at for one in measured for at, _ in one.values), now]
        return all(later - earlier <= self._max_age for earlier, later in pairwise(moments))

    def samples(self, deployment: str, signal: str, since: float) -> dict[str, tuple[float, ...]]:
        """The values of a signal after `since` (Unix seconds), oldest first, by service."""
        period = max(math.ceil(self._clock() - since), 1)
        series = self._query(f'{signal}{{deployment="{_escaped(deployment)}"}}[{period}s]')
        return {one.metric.get("service", ""): tuple(value for at, value in one.values if at > since) for one in series}

    def history(self, deployment: str, since: float, until: float) -> tuple[History, ...]:
        """All signals between two moments (Unix seconds), in at most `HISTORY_POINTS` steps; no NaN, no infinity."""
        step = max(math.ceil((until - since) / HISTORY_POINTS), 1)
        found = self._query_range(f'{{{_SIGNALS},deployment="{_escaped(deployment)}"}}', since, until, step)
        return tuple(sorted(map(_history, found), key=lambda one: (one.name, one.service or "")))

    def fired(self, deployment: str, since: float, until: float) -> bool:
        """Whether it remembers that a rollback branch fired on `deployment` between two moments (Unix seconds)."""
        period = max(math.ceil(self._clock() - since), 1)
        asked = f'{_BRANCH},action="{Action.ROLLBACK}",deployment="{_escaped(deployment)}"'
        alerts = self._query(f'ALERTS{{alertstate="firing",{asked}}}[{period}s]')
        return any(since <= at <= until for one in alerts for at, _ in one.values)

    def storm(self, dependencies: Iterable[str]) -> Storm:
        """All deployments on which a rollback branch fires, and which of the alerts `dependencies` fire at all."""
        failing = self._firing(f'{_BRANCH},action="{Action.ROLLBACK}"')
        names = "|".join(map(re.escape, dependencies))
        shared = self._firing(f'alertname=~"{_escaped(names)}"') if names else ()
        return Storm(
            frozenset(alert.metric.get("deployment", "") for alert in failing),
            frozenset(alert.metric["alertname"] for alert in shared),
        )

    def _firing(self, matchers: str) -> tuple[Series, ...]:
        """The labels of what fires."""
        return self._query(self._firing_query(matchers))

    def _firing_query(self, matchers: str) -> str:
        """A Prometheus that was killed leaves alerts readable for five minutes: too old."""
        alerts = f'ALERTS{{alertstate="firing",{matchers}}}'
        return f"timestamp({alerts}) > time() - {self._max_age:g}"

    def _signal(self, series: Series, now: float) -> Signal | None:
        at, value = max(series.values, default=(-math.inf, math.nan))
        if now - at > self._max_age:
            return None
        metric = series.metric
        return Signal(metric.get("__name__", ""), metric.get("service"), value if math.isfinite(value) else None, at)


def _history(series: Series) -> History:
    points = tuple(point for point in series.values if math.isfinite(point[1]))
    return History(series.metric.get("__name__", ""), series.metric.get("service"), points)


def _first_demand(alerts: Iterable[Series]) -> Demand | None:
    branches, _ = read_branches(one.metric for one in alerts)
    return Demand(branches[0].branch, branches[0].action) if branches else None


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
