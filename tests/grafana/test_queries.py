"""Every query of every dashboard finds something after a real incident, on the oldest and the newest Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.grafana.incident import Watched, incident
from tests.grafana.reading import FILES, Dashboard, filled_in, panels, read, variables
from tests.prometheus_versions import VERSIONS, Version

SYSTEM, *_, NEWEST = VERSIONS


def test_every_query_finds_something(tmp_path: Path) -> None:
    """No panel, annotation or variable is empty or refused once a release was rolled back and came again."""
    versions = [one for one in (SYSTEM, NEWEST) if not one.is_missing]
    with incident(tmp_path, versions) as watched:
        empty = [
            f"{version}: {file.name}: {where}: {expr}"
            for version in versions
            for file in FILES
            for where, expr, found in _answers(watched, version, read(file))
            if not found
        ]
    assert empty == []


def _answers(watched: Watched, version: Version, dashboard: Dashboard) -> Iterator[tuple[str, str, list[Any]]]:
    """Where each query stands, the query, and what Prometheus found."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            expr = filled_in(target["expr"])
            yield panel["title"], expr, _found(watched, version, expr, instant=target["instant"])
    for one in dashboard["annotations"]["list"]:
        expr = filled_in(one["expr"])
        yield f"annotation {one['name']}", expr, _found(watched, version, expr, instant=False)
    for name, one in variables(dashboard).items():
        if one["type"] == "query":
            selector, label = one["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
            found = watched.ask(version, f"label/{label}/values", **{"match[]": selector})
            yield f"variable {name}", selector, found


def _found(watched: Watched, version: Version, expr: str, *, instant: bool) -> list[Any]:
    if instant:
        data = watched.ask(version, "query", query=expr, time=watched.until)
    else:
        data = watched.ask(version, "query_range", query=expr, start=watched.since, end=watched.until, step=1)
    return [
        series
        for series in data["result"]
        if any(not math.isnan(float(value)) for _, value in series.get("values") or [series["value"]])
    ]
