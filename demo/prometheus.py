"""Asks the demonstration's Prometheus what fires and what a query says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import requests

_BRANCHES = 'ALERTS{branch!=""}'


@dataclass(frozen=True, slots=True)
class Alert:
    """A branch that was pending or fired; `first` and `last` are evaluations that found it so, in Unix seconds."""

    name: str
    branch: str
    service: str
    firing: bool
    first: float
    last: float


class Prometheus:
    """One Prometheus; where it does not answer, nothing is known."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def firing(self) -> list[str]:
        """Names of the branches that fire or are about to."""
        return [series["metric"]["alertname"] for series in self._query(_BRANCHES)]

    def alerts(self, since: float) -> list[Alert]:
        """Branches that were pending or fired at some time since then, in the order in which they began."""
        seconds = int(time.time() - since)
        found = []
        for series in self._query(f"{_BRANCHES}[{seconds}s]") if seconds > 0 else []:
            labels, times = series["metric"], [float(at) for at, _ in series["values"]]
            is_firing = labels["alertstate"] == "firing"
            name, branch, service = labels["alertname"], labels["branch"], labels.get("service", "")
            found.append(Alert(name, branch, service, is_firing, times[0], times[-1]))
        return sorted(found, key=lambda alert: alert.first)

    def value(self, query: str) -> float | None:
        """The one value that the query has now."""
        result = self._query(query)
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def _query(self, query: str) -> list[dict[str, Any]]:
        try:
            answer = self._session.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=2)
            answer.raise_for_status()
        except requests.RequestException:
            return []
        return list(answer.json()["data"]["result"])
