"""Makes panels that say what they show, in which unit, and where to read on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.limits import Limit, rule
from receiver.tree.units import Unit, in_unit

DATA_SOURCE = dashboard.DataSourceRef("prometheus", "${datasource}")
CHOSEN = ("deployment", "instance", "exporter")
"""The variables that a query can have; in an address they stand with `|` between several values."""
GREEN, ORANGE, RED, GREY = "green", "orange", "red", "text"
UNITS = {"percentunit": Unit.RATIO, "s": Unit.SECONDS}

AnyPanel = timeseries.Panel | stat.Panel | statetimeline.Panel | table.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, statetimeline.Panel, table.Panel)


@dataclass(frozen=True, slots=True)
class Query:
    """One line or group of lines; `legend` is Grafana's template of their names."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What a number means, and its colour."""

    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel shows; `runbook` is the alert whose page tells what to do, `page` a path of the agent's own page."""

    title: str
    description: str
    queries: Sequence[Query]
    runbook: str
    unit: str = "none"
    width: int = 12
    height: int = 8
    page: str = "/"
    limits: Sequence[Limit] = ()
    states: Sequence[State] = ()

    def lines(self) -> timeseries.Panel:
        """Lines over time, with the limits of the rules as dashed ones."""
        panel = self._begun(timeseries.Panel())
        panel.line_width(2).fill_opacity(0).show_points(common.VisibilityMode.NEVER).axis_soft_min(0)
        panel.legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        if self.unit == "percentunit":
            panel.axis_soft_max(1 if any(_is_floor(one) for one in self.limits) else 0.1)
        if self.limits:
            mode = common.GraphThresholdsStyleMode.DASHED
            panel.thresholds_style(common_builders.GraphThresholdsStyleConfig().mode(mode))
        return panel.color_scheme(FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC))

    def timeline(self) -> statetimeline.Panel:
        """A bar for each series, coloured by what its value means."""
        panel = self._begun(statetimeline.Panel())
        panel.show_value(common.VisibilityMode.NEVER).row_height(0.8).fill_opacity(80).line_width(0)
        return panel.color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))

    def number(self, names: bool = False) -> stat.Panel:
        """The value at the end of the time range in large letters, or with `names` the series' name."""
        panel = self._begun(stat.Panel(), instant=True)
        panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        panel.graph_mode(common.BigValueGraphMode.NONE)
        if names:
            panel.text_mode(common.BigValueTextMode.NAME).color_mode(common.BigValueColorMode.NONE)
        return panel.color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))

    def rows(
        self, columns: Mapping[str, str], *, units: Mapping[str, str] | None = None, incident: bool = False
    ) -> table.Panel:
        """A row for each series at the end of the time range, those of several queries with the same labels in one.

        `columns` are the fields by what they are called here, in their order; `units` are those of columns that have
        another one, and with `incident` that column leads to the incident's page.
        """
        panel = self._begun(table.Panel(), PromQueryFormat.TABLE, instant=True)
        panel.with_transformation(dashboard.DataTransformerConfig("merge", options={}))
        order = {field: place for place, field in enumerate(columns)}
        organized = {"includeByName": dict.fromkeys(columns, True), "indexByName": order, "renameByName": columns}
        panel.with_transformation(dashboard.DataTransformerConfig("organize", options=organized))
        for name, unit in (units or {}).items():
            panel.override_by_name(name, [dashboard.DynamicConfigValue("unit", unit)])
        if incident:
            link = {"title": "The incident", "url": "${agent}/incidents/${__value.raw}", "targetBlank": True}
            panel.override_by_name("incident", [dashboard.DynamicConfigValue("links", [link])])
        return panel

    def matrix(self, row: str, column: str) -> table.Panel:
        """A row and a column for each value of two labels, at the end of the time range."""
        panel = self._begun(table.Panel(), PromQueryFormat.TABLE, instant=True)
        options = {"rowField": row, "columnField": column, "valueField": "Value"}
        return panel.with_transformation(dashboard.DataTransformerConfig("groupingToMatrix", options=options))

    def _begun(self, panel: P, form: PromQueryFormat = PromQueryFormat.TIME_SERIES, *, instant: bool = False) -> P:
        panel.title(self.title).description(self._said()).datasource(DATA_SOURCE).unit(self.unit)
        panel.span(self.width).height(self.height).links(self._links())
        panel.thresholds(ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(_steps(self.limits)))
        if self.states:
            results = {
                str(value): dashboard.ValueMappingResult(one.text, one.colour, index=value)
                for value, one in enumerate(self.states)
            }
            panel.mappings([dashboard.ValueMap(results)])
        for place, query in enumerate(self.queries):
            target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(_letters(place))
            target.datasource(DATA_SOURCE).format(form)
            panel.with_target(target.instant() if instant else target.range())
        return panel

    def _said(self) -> str:
        """The description, and what each limit starts."""
        said = [
            f"{one.rule.name}{_in_brackets(one.rule.demand)}: {one.operator} {in_unit(one.number, UNITS[self.unit])}."
            for one in self.limits
        ]
        return "\n\n".join((self.description, *said))

    def _links(self) -> list[Builder[dashboard.DashboardLink]]:
        places = {
            f"Runbook: {self.runbook}": rule(self.runbook).runbook,
            "The agent's page": f"${{agent}}{self.page}",
            "In Prometheus": _in_prometheus(self.queries[0].expr),
        }
        return [
            DashboardLink(title).type(dashboard.DashboardLinkType.LINK).url(url).target_blank(True)
            for title, url in places.items()
        ]


def _in_prometheus(expr: str) -> str:
    """The address that draws `expr`; Grafana puts in what was chosen, and knows its own intervals only in queries."""
    query = expr.replace("$__rate_interval", "5m").replace("$__range_s", "604800").replace("$__range", "7d")
    written = quote(query, safe="")
    for name in CHOSEN:
        written = written.replace(quote(f"${name}"), f"${{{name}:pipe}}")
    return f"${{prometheus}}/graph?g0.expr={written}&g0.tab=0&g0.range_input=1h"


def _is_floor(limit: Limit) -> bool:
    return limit.operator in ("<", "<=", "==")


def _steps(limits: Sequence[Limit]) -> list[dashboard.Threshold]:
    """Colours from the lowest value on; the limits of a panel are all floors or all ceilings."""
    if floors := [one for one in limits if _is_floor(one)]:
        highest = max(floors, key=lambda one: one.number)
        return [dashboard.Threshold(None, _colour(highest)), dashboard.Threshold(highest.number, GREEN)]
    ceilings = sorted(limits, key=lambda one: one.number)
    return [
        dashboard.Threshold(None, GREEN),
        *(dashboard.Threshold(one.number, _colour(one)) for one in ceilings),
    ]


def _colour(limit: Limit) -> str:
    return RED if limit.rule.labels["severity"] == "critical" else ORANGE


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _letters(place: int) -> str:
    return chr(ord("A") + place)
