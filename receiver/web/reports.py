"""What the page shows of a run's report: its text, and its chart."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, g

from receiver.config import Config
from receiver.journal import views
from receiver.journal.views import View
from receiver.removed import gone
from receiver.web.gate import for_viewers
from receiver.web.site import site

_LONGEST = 200_000
CHART_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A chart brings its own style and nothing else; as a page of its own it may not run anything either."""


def add_reports(pages: Blueprint) -> None:
    """Add `/incidents/ID/runs/RUN/chart.svg`."""

    @pages.get("/incidents/<id_>/runs/<run>/chart.svg")
    @for_viewers
    def chart(id_: str, run: str) -> Response:
        with site().database.read() as tx:
            incident = views.incident(tx, id_)
            if incident is None and (why := gone(tx, id_)):
                raise why
        found = next((one for one in incident["runs"] if one["id"] == run), None) if incident else None
        file = chart_of(site().in_force().config, found) if found else None
        if file is None:
            abort(404, f"There is no chart of run {run}.")
        g.other_headers = {"Content-Security-Policy": CHART_POLICY}
        return Response(file.read_bytes(), mimetype="image/svg+xml")


def text_of(config: Config, run: View) -> str:
    """The report's text, as it is: no part of it is ever markup."""
    file = Path(run["report"])
    if file.parent != config.logs:
        return f"It lies at {file}."
    try:
        with file.open(encoding="utf-8", errors="replace") as report:
            return report.read(_LONGEST)
    except FileNotFoundError:
        return f"{file} is not there any more; reports are kept as long as `retention.reports` says."
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}."


def chart_of(config: Config, run: View) -> Path | None:
    """The file of the report's chart, where there is one; no other directory is looked at."""
    file = Path(run["report"]).with_suffix(".svg") if run["report"] else None
    return file if file and file.parent == config.logs and file.is_file() else None
