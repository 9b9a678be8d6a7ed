"""The dashboards keep the rules of Grafana's dashboard-linter, and a few of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest

from tests.alert_rules.promql_lint import nodes, selectors
from tests.grafana.reading import FILES, Dashboard, filled_in, panels, read, variables

UNITS = {"none", "short", "percentunit", "s", "reqps", "ops", "bytes", "dateTimeAsIso"}
"""Grafana's names of the units that we use."""
OF_THE_PLACE = {
    "ALERTS",
    "rollback_kill_switch",
    "alertmanager_notifications_failed_total",
    "alertmanager_notification_latency_seconds_bucket",
}
"""Metrics that are neither of a deployment nor of an agent or exporter; of alerts only Watchdog is asked so."""
RANGED = ("rate", "irate", "increase")

pytestmark = pytest.mark.parametrize("dashboard", [pytest.param(read(file), id=file.stem) for file in FILES])


def queries(dashboard: Dashboard) -> Iterator[tuple[str, promql.Expr]]:
    """Every query of panels and annotations, as it is written and parsed."""
    written = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    for expr in (*written, *(one["expr"] for one in dashboard["annotations"]["list"])):
        yield expr, promql.parse(filled_in(expr))


def test_the_data_source_is_chosen(dashboard: Dashboard) -> None:
    """A variable asks for the data source, and panels, targets, annotations and variables all take that."""
    chosen = variables(dashboard)["datasource"]
    assert (chosen["type"], chosen["query"], chosen["label"]) == ("datasource", "prometheus", "Data source")
    asking = [
        *panels(dashboard),
        *(target for panel in panels(dashboard) for target in panel["targets"]),
        *dashboard["annotations"]["list"],
        *(one for one in variables(dashboard).values() if one["type"] == "query"),
    ]
    assert {(one["datasource"]["type"], one["datasource"]["uid"]) for one in asking} == {
        ("prometheus", "${datasource}")
    }


def test_variables_ask_again_with_the_time_range(dashboard: Dashboard) -> None:
    """Each query variable has a label, parses, and is asked anew when the time range changes."""
    asked = [one for one in variables(dashboard).values() if one["type"] == "query"]
    assert asked
    for one in asked:
        selector = re.fullmatch(r"label_values\((.+), [a-z]+\)", one["query"])
        assert selector, one["query"]
        promql.parse(filled_in(selector[1]))
        assert (one["refresh"], bool(one["label"])) == (2, True)


def test_every_panel_says_what_it_shows(dashboard: Dashboard) -> None:
    """A panel has a title of its own, a description in sentences, a unit that Grafana knows, and a query."""
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles))
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["targets"], panel["title"]


def test_every_panel_leads_on(dashboard: Dashboard) -> None:
    """A panel links to a runbook that is there, to the agent's page, and to its query in Prometheus."""
    runbooks = Path(__file__).parents[2] / "alert-rules" / "runbooks"
    for panel in panels(dashboard):
        runbook, page, prometheus = (link["url"] for link in panel["links"])
        assert (runbooks / f"{runbook.rpartition('/')[2]}.md").is_file(), panel["title"]
        assert page.startswith("${agent}/")
        assert prometheus.startswith("${prometheus}/graph?g0.expr=")
        assert not re.search(r"\$(?!\{(prometheus|deployment:pipe|instance:pipe|exporter:pipe)\})", prometheus), (
            prometheus
        )


def test_ids_and_places_are_unique(dashboard: Dashboard) -> None:
    """Panels have ids, and none lies on another or beyond the grid of 24 columns."""
    assert len({one["id"] for one in dashboard["panels"]}) == len(dashboard["panels"])
    taken: set[tuple[int, int]] = set()
    for one in dashboard["panels"]:
        where = one["gridPos"]
        cells = {(where["x"] + x, where["y"] + y) for x in range(where["w"]) for y in range(where["h"])}
        assert not taken & cells, one["title"]
        assert where["x"] + where["w"] <= 24
        taken |= cells


def test_counters_are_read_as_rates(dashboard: Dashboard) -> None:
    """What ends in _total or _bucket stands in rate, irate or increase, and rates take Grafana's own interval."""
    for written, parsed in queries(dashboard):
        ranged = {
            selector.name
            for call in nodes(parsed)
            if isinstance(call, promql.Call) and call.func.name in RANGED
            for selector in selectors(call)
        }
        counters = {one.name for one in selectors(parsed) if re.search(r"_(total|bucket|count|sum)$", one.name or "")}
        assert counters <= ranged, written
        assert re.findall(r"i?rate\([^\[]+\[([^\]]+)\]", written) == ["$__rate_interval"] * written.count("rate("), (
            written
        )


def test_every_query_is_of_what_was_chosen(dashboard: Dashboard) -> None:
    """Queries name the chosen deployment or instance wherever the metric has one."""
    for written, parsed in queries(dashboard):
        for one in selectors(parsed):
            names = {matcher.name for matcher in one.matchers.matchers}
            assert one.name in OF_THE_PLACE or names & {"deployment", "instance"}, written


def test_nobody_edits_it_in_grafana(dashboard: Dashboard) -> None:
    """It is read-only, has a uid that stays, and a schema that Grafana 11 wrote and later ones read."""
    assert dashboard["editable"] is False
    assert dashboard["uid"].startswith("rollback-")
    assert dashboard["schemaVersion"] == 39
    assert dashboard["tags"] == ["rollback-agent"]
