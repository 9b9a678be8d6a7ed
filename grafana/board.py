"""What the dashboards have in common: variables, links to each other, and how rows of panels are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from grafana.annotations import Annotation
from grafana.panels import DATA_SOURCE, AnyPanel

TAG = "rollback-agent"
AGENT, PROMETHEUS = "http://127.0.0.1:9195", "http://127.0.0.1:9090"
"""Where the shipped configurations listen; who opens the dashboards elsewhere puts their own in."""

SCHEMA = 39
"""That of Grafana 11.0, whose panels the library makes under an older number. Later Grafanas migrate it."""

Rows = Mapping[str, Sequence[AnyPanel]]
"""Panels by the title of their row."""


def board(
    uid: str,
    title: str,
    description: str,
    rows: Rows,
    *,
    variables: Sequence[builders.QueryVariable],
    annotations: Sequence[Annotation] = (),
    since: str = "now-3h",
) -> dashboard.Dashboard:
    """A dashboard that nobody edits in Grafana, since the next release of this project writes it anew."""
    made = builders.Dashboard(title).uid(uid).description(description).tags([TAG]).readonly()
    made.time(since, "now").refresh("30s").timezone("browser").tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    made.variables([_data_source(), *variables, *_addresses()])
    made.annotations(list(annotations))
    others = builders.DashboardLink("Rollback agent").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    made.link(others.include_vars(True).keep_time(True))
    for name, panels in rows.items():
        made.with_row(builders.Row(name))
        for panel in panels:
            made.with_panel(panel)
    built = made.build()
    built.schema_version = SCHEMA
    for id_, one in enumerate(built.panels or (), start=1):
        one.id_val = id_
    return built


def choice(name: str, metric: str, label: str, *, several: bool) -> builders.QueryVariable:
    """Asks for values of a label that a metric has: one, or with `several` any number of them."""
    variable = builders.QueryVariable(name).label(name.capitalize()).datasource(DATA_SOURCE)
    variable.query(f"label_values({metric}, {label})").sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    variable.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
    if several:
        variable.multi(True).include_all(True).current(dashboard.VariableOption(True, ["All"], ["$__all"]))
    return variable


def _data_source() -> builders.DatasourceVariable:
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _addresses() -> list[builders.TextBoxVariable]:
    """What Grafana does not know of its own: the browser's way to the agent and to Prometheus."""
    return [
        builders.TextBoxVariable(name)
        .label(label)
        .hide(dashboard.VariableHide.HIDE_VARIABLE)
        .default_value(url)
        .current(dashboard.VariableOption(True, url, url))
        for name, label, url in (("agent", "Agent", AGENT), ("prometheus", "Prometheus", PROMETHEUS))
    ]
