"""The pages: they read, and change nothing, however often they are fetched."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from receiver import links
from receiver.config import Config
from receiver.explain.document import explanation
from receiver.journal import hotfixes, judgements, reviews, views
from receiver.journal.views import View
from receiver.model import Autonomy
from receiver.progress import progress
from receiver.redact import redact
from receiver.removed import gone
from receiver.reviewing import lookalikes
from receiver.standing import live_releases, standing
from receiver.web.gate import for_viewers
from receiver.web.reports import chart_of, text_of
from receiver.web.site import site
from receiver.web.timeline import events
from receiver.web.visitor import FRESH_FOR

AUTONOMY = {
    Autonomy.L1: "reads, decides, records and reports",
    Autonomy.L2: "also runs the health checks and collects a diagnosis",
    Autonomy.L3: "also rolls back, after a person has confirmed the plan",
    Autonomy.L4: "also rolls back without asking, where it is sure",
}
_NEWEST = 30


def add_pages(pages: Blueprint) -> None:
    """Add `/`, `/incidents/ID` and `/deployments/NAME`."""

    @pages.get("/")
    @for_viewers
    def overview() -> ResponseReturnValue:
        with site().database.read() as tx:
            now = site().database.now(tx)
            found = {"standing": _standing(tx, now), "incidents": views.incidents(tx, _NEWEST)}
        return render_template("overview.html", now=now, fresh_for=FRESH_FOR, **found)

    @pages.get("/incidents/<id_>")
    @for_viewers
    def incident(id_: str) -> ResponseReturnValue:
        with site().database.read() as tx:
            now = site().database.now(tx)
            found = views.incident(tx, id_)
            if found is None and (why := gone(tx, id_)):
                raise why
            stands = _standing(tx, now)
            learned = _learned(tx, found) if found else {}
            kept = judgements.of_run(tx, found["runs"][-1]["id"]) if found and found["runs"] else {}
        if found is None:
            abort(404, f"There is no incident {id_}.")
        config = site().in_force().config
        return render_template(
            "incident.html",
            now=now,
            incident=found,
            standing=stands,
            timeline=events(found),
            why=redact(explanation(kept)),
            **learned,
            progress=progress(found["runs"][-1], config.logs, now) if found["runs"] else None,
            reports={run["id"]: text_of(config, run) for run in found["runs"] if run["report"]},
            charts=[run["id"] for run in found["runs"] if chart_of(config, run)],
            fresh_for=FRESH_FOR,
            **_links(config, found["deployment"]),
        )

    @pages.get("/deployments/<name>")
    @for_viewers
    def deployment(name: str) -> ResponseReturnValue:
        with site().database.read() as tx:
            now = site().database.now(tx)
            stands = _standing(tx, now)
            found = next((one for one in stands["deployments"] if one["name"] == name), None)
            releases, recent = views.releases(tx, name), views.incidents(tx, 10, name)
        if found is None:
            abort(404, f"There is no deployment {name}.")
        return render_template(
            "deployment.html",
            now=now,
            deployment=found,
            standing=stands,
            releases=releases,
            incidents=recent,
            autonomy_words=AUTONOMY,
            fresh_for=FRESH_FOR,
            longest_hotfix=int(hotfixes.LONGEST // 60),
        )


def _standing(tx: sa.Connection, now: float) -> View:
    in_force = site().in_force()
    return standing(tx, in_force.config, live_releases(in_force.worlds), now, site().serving_since)


def _learned(tx: sa.Connection, incident: View) -> dict[str, Any]:
    """What people found of the incident, and of those that look like it."""
    review = reviews.of_incident(tx, incident["id"])
    alike = [{**asdict(one.review), "likeness": one.likeness} for one in lookalikes(tx, incident)]
    return {
        "review": review and redact(asdict(review)),
        "alike": redact(alike),
        "patterns": [one.name for one in reviews.patterns(tx)],
    }


def _links(config: Config, deployment: str) -> dict[str, Any]:
    """What the templates call for a link into Prometheus."""
    address = config.prometheus.external_url or config.prometheus.url
    return {
        "link_series": lambda signal: links.graph(address, links.series(signal, deployment), signal["at"]),
        "link_branch": lambda branch, at: links.graph(address, links.alerts(deployment, branch), at),
    }
