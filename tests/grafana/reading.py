"""Reads the dashboards as they are committed: panels, targets, annotations, variables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).parents[2] / "grafana"
FILES = sorted((GRAFANA / "json").glob("*.json"))

Dashboard = dict[str, Any]
Panel = dict[str, Any]

FILLED_IN = {
    "$__rate_interval": "1m",
    "$__range_s": "3600",
    "$__range": "1h",
    "$deployment": "qrl",
    "$instance": ".+",
    "$exporter": ".+",
}
"""What Grafana puts in place of its variables."""


def read(file: Path) -> Dashboard:
    """The dashboard of a file."""
    found: Dashboard = json.loads(file.read_text())
    return found


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Every panel that is no row, also those within a row."""
    for one in dashboard["panels"]:
        yield from (inner for inner in one.get("panels", ()))
        if one["type"] != "row":
            yield one


def variables(dashboard: Dashboard) -> dict[str, dict[str, Any]]:
    """The variables by their name."""
    return {one["name"]: one for one in dashboard["templating"]["list"]}


def filled_in(expr: str) -> str:
    """A query as Prometheus gets it."""
    for name, value in FILLED_IN.items():
        expr = expr.replace(name, value)
    return expr
