"""Asks the demonstration's Prometheus what fires and what a query says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests


@dataclass(frozen=True, slots=True)
class Alert:
    """A pending or firing branch; `active_since` in Unix seconds."""

    name: str
    firing: bool
    active_since: float


class Prometheus:
    """One Prometheus; where it does not answer, nothing is known."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def alerts(self) -> list[Alert]:
        """Branches of the tree that are pending or fire."""
        return [
            Alert(
                alert["labels"]["alertname"],
                alert["state"] == "firing",
                datetime.fromisoformat(alert["activeAt"]).timestamp(),
            )
            for alert in self._get("alerts", {}).get("alerts", [])
            if "branch" in alert["labels"]
        ]

    def value(self, query: str) -> float | None:
        """The one value that the query has now."""
        result = self._get("query", {"query": query}).get("result", [])
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def _get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self._session.get(f"{self.url}/api/v1/{path}", params=params, timeout=2)
            answer.raise_for_status()
        except requests.RequestException:
            return {}
        data = answer.json()["data"]
        return data if isinstance(data, dict) else {}
