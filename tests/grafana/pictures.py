"""Draws each dashboard from a real incident: `python -m tests.grafana.pictures DIRECTORY`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.chromium import chromium
from tests.grafana.drawn import CELL, Series, Span, page
from tests.grafana.incident import incident
from tests.grafana.reading import FILES, Panel, filled_in, read
from tests.grafana.seen import Watched
from tests.prometheus_versions import SYSTEM

TOLD = (
    "Drawn by tests/grafana/drawn.py from the queries of this dashboard and the data of a real incident that the tests"
    " ran in quick motion. This is not Grafana."
)


def take_all(directory: Path) -> None:
    """One picture a dashboard, of the incident alone, without the trouble that follows it."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        with incident(Path(place), [SYSTEM]) as watched:
            pages = {file.stem: _page(watched, file) for file in FILES}
        with chromium() as browser:
            for name, text in pages.items():
                tab = browser.new_page(viewport={"width": 24 * CELL, "height": 800})
                tab.set_content(text)
                tab.screenshot(path=directory / f"{name}.png", full_page=True)


def _page(watched: Watched, file: Path) -> str:
    dashboard = read(file)
    panels = [(panel, _series(watched, panel)) for panel in dashboard["panels"]]
    return page(dashboard["title"], TOLD, panels, Span(watched.since, watched.ended))


def _series(watched: Watched, panel: Panel) -> list[Series]:
    found = []
    for target in panel.get("targets", ()):
        expr = filled_in(target["expr"])
        answers = watched.at_the_end(SYSTEM, expr) if target["instant"] else watched.over_time(SYSTEM, expr)
        for one in answers:
            points = [(float(at), float(value)) for at, value in one.get("values") or [one["value"]]]
            within = [point for point in points if point[0] <= watched.ended] or points
            found.append(Series(_legend(target.get("legendFormat", ""), one["metric"]), one["metric"], within))
    return found


def _legend(form: str, labels: Mapping[str, str]) -> str:
    """Grafana's `{{label}}` filled in."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match[1], ""), form)


if __name__ == "__main__":
    take_all(Path(sys.argv[1]))
