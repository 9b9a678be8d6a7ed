"""Every query of every dashboard and document finds something after a real incident, on each Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.grafana.incident import incident
from tests.grafana.reading import FILES, Dashboard, filled_in, panels, read, variables
from tests.grafana.seen import Watched
from tests.prometheus_versions import VERSIONS, Version

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(
    (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("alert-rules/**/*.md"))
)


def test_every_query_finds_something(tmp_path: Path) -> None:
    """No panel, annotation, variable, page or runbook is empty or refused after a rollback, a refusal and trouble."""
    versions = [one for one in VERSIONS if not one.is_missing]
    with incident(tmp_path, versions) as watched:
        empty = [
            f"{version}: {file.name}: {where}: {expr}"
            for version in versions
            for file in FILES
            for where, expr, found in _answers(watched, version, read(file))
            if not found
        ]
        empty += [
            f"{version}: {page.name}: {expr}"
            for version in versions
            for page in DOCUMENTS
            for expr in in_document(page)
            if not numbers(watched.over_time(version, expr))
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
    return numbers(watched.at_the_end(version, expr) if instant else watched.over_time(version, expr))


def numbers(result: list[Any]) -> list[Any]:
    """The series that hold a number somewhere."""
    return [
        series
        for series in result
        if any(not math.isnan(float(value)) for _, value in series.get("values") or [series["value"]])
    ]


def in_document(page: Path) -> list[str]:
    """The queries of a page: a block of `promql` is one."""
    found: list[str] = re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL)
    return found
