"""Asks Prometheus what fires and what the signals are; an incomplete answer is an error, never a fact."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import requests

from receiver.errors import PrometheusError
from receiver.model import Action, Branch, Level, Signal, Telemetry

MAX_ANSWER = 16 << 20
_SIGNALS = "deployment:.+|service:.+"


class Prometheus:
    """One Prometheus server, over its HTTP API. `timeout` and `max_age` are in seconds."""

    def __init__(self, url: str, timeout: float, max_age: float, clock: Callable[[], float]) -> None:
        self.url = url
        self._timeout = timeout
        self._max_age = max_age
        self._clock = clock

    def telemetry(self, deployment: str) -> Telemetry:
        """What fires on `deployment` and its signals; raises PrometheusError where that is not known.

        A Prometheus that answers but has no sample of any signal newer than `max_age` does not know either.
        """
        read_at = self._clock()
        labels = f'deployment="{_escaped(deployment)}"'
        alerts = self._query(f'ALERTS{{alertstate="firing",branch!="",{labels}}}')
        # A range selector gives raw samples with their own times; an instant vector would hide how old they are.
        lookback = max(int(self._max_age), 1)
        series = self._query(f'{{__name__=~"{_SIGNALS}",{labels}}}[{lookback}s]')
        signals = tuple(filter(None, (self._signal(one, read_at) for one in series)))
        if not signals:
            raise PrometheusError(
                f"Prometheus has no signal of {deployment} from the last {lookback} s, so nothing is known about it"
            )
        branches, unreadable = _branches(alerts)
        return Telemetry(read_at, branches, unreadable, tuple(sorted(signals, key=lambda s: s.series)))

    def firing_actions(self) -> dict[str, frozenset[str]]:
        """The deployments on which any branch fires, with the actions that their branches ask for."""
        actions: dict[str, frozenset[str]] = {}
        for alert in self._query('ALERTS{alertstate="firing",branch!=""}'):
            deployment = alert["metric"].get("deployment", "")
            actions[deployment] = actions.get(deployment, frozenset()) | {alert["metric"].get("action", "")}
        return actions

    def quiet_for(self, deployment: str, seconds: float) -> bool:
        """Whether the deployment has signals and no branch was pending or firing in the last `seconds`."""
        self.telemetry(deployment)  # raises where nothing is known
        period = math.ceil(seconds)
        return not self._query(f'ALERTS{{branch!="",deployment="{_escaped(deployment)}"}}[{period}s]')

    def samples(self, deployment: str, signal: str, since: float) -> dict[str, tuple[float, ...]]:
        """The values of a signal after `since` (Unix seconds), oldest first, by service."""
        period = max(math.ceil(self._clock() - since), 1)
        series = self._query(f'{signal}{{deployment="{_escaped(deployment)}"}}[{period}s]')
        return {
            one["metric"].get("service", ""): tuple(float(value) for at, value in one["values"] if float(at) > since)
            for one in series
        }

    def _signal(self, series: dict[str, Any], now: float) -> Signal | None:
        at, text = series["values"][-1]
        value = float(text)
        if now - float(at) > self._max_age:
            return None
        metric = series["metric"]
        return Signal(metric["__name__"], metric.get("service"), value if math.isfinite(value) else None, float(at))

    def _query(self, promql: str) -> list[dict[str, Any]]:
        answer = self._fetch(promql)
        if answer.get("status") != "success":
            raise PrometheusError(f"Prometheus refused a query: {answer.get('error', 'no reason given')}")
        if answer.get("warnings"):
            raise PrometheusError(f"Prometheus answered in part only: {answer['warnings'][0]}")
        result = answer.get("data", {}).get("result")
        if not isinstance(result, list):
            raise PrometheusError("Prometheus' answer holds no result")
        return result

    def _fetch(self, promql: str) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no netrc: the address is the configured one and nothing else
                response = session.post(
                    f"{self.url}/api/v1/query",
                    data={"query": promql, "timeout": f"{self._timeout:g}s"},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
                body = response.raw.read(MAX_ANSWER + 1, decode_content=True)
            answer = json.loads(body) if len(body) <= MAX_ANSWER else None
        except (requests.RequestException, OSError) as error:
            raise PrometheusError(f"Prometheus at {self.url} cannot be asked: {_cause(error)}") from error
        except ValueError as error:
            raise PrometheusError(f"Prometheus at {self.url} did not answer with JSON") from error
        if not isinstance(answer, dict):
            raise PrometheusError(f"Prometheus at {self.url} gave an answer that is no JSON object or is too large")
        return answer


def _branches(alerts: list[dict[str, Any]]) -> tuple[tuple[Branch, ...], tuple[str, ...]]:
    """The alerts as branches, lowest rank first, and the names of those whose labels say too little."""
    branches: list[Branch] = []
    unreadable: list[str] = []
    for alert in alerts:
        labels = alert["metric"]
        try:
            branches.append(_branch(labels))
        except (KeyError, ValueError):
            unreadable.append(labels.get("alertname", "?"))
    return tuple(sorted(branches, key=lambda b: (b.rank, b.service or ""))), tuple(sorted(unreadable))


def _branch(labels: dict[str, str]) -> Branch:
    action = Action(labels["action"])
    rolls_back = action is Action.ROLLBACK
    confidence = float(labels["confidence"]) if rolls_back else None
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError("confidence is no probability")
    return Branch(
        alert=labels["alertname"],
        branch=labels["branch"],
        rank=int(labels["rank"]),
        action=action,
        level=Level(labels["level"]) if rolls_back else None,
        confidence=confidence,
        service=labels.get("service"),
    )


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _cause(error: BaseException) -> str:
    """The innermost reason; requests wraps it several times."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
