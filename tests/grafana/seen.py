"""What several Prometheus have seen of one incident."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.acceptance.stand import Stand
from tests.prometheus_versions import Version


@dataclass(frozen=True, slots=True)
class Watched:
    """What is left of the incident: each Prometheus that saw it, from when to when, and until when trouble went on."""

    urls: Mapping[Version, str]
    since: float
    ended: float
    until: float

    def ask(self, version: Version, path: str, **parameters: Any) -> Any:
        """The data of an answer of the HTTP interface; AssertionError with Prometheus' own words if it refuses."""
        answer = requests.get(f"{self.urls[version]}/api/v1/{path}", params=parameters, timeout=30).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def over_time(self, version: Version, promql: str) -> Any:
        """The series of a query over all of it, a value each second and one at the very end."""
        start = self.until - math.ceil(self.until - self.since)
        return self.ask(version, "query_range", query=promql, start=start, end=self.until, step=1)["result"]

    def at_the_end(self, version: Version, promql: str) -> Any:
        """The series of a query as the incident ended."""
        return self.ask(version, "query", query=promql, time=self.ended)["result"]


def await_seen(here: Stand, urls: Mapping[Version, str], promql: str) -> None:
    """Wait until every Prometheus finds something."""

    def finds(url: str) -> bool:
        answer = requests.get(f"{url}/api/v1/query", params={"query": promql}, timeout=30).json()
        return bool(answer["data"]["result"])

    here.eventually(lambda: all(map(finds, urls.values())), 60)
