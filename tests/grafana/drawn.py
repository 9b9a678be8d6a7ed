"""Draws the panels of a dashboard as HTML and SVG from what Prometheus answered: of the data, not of Grafana."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tests.grafana.reading import Panel

CELL, ROW = 50, 30
"""Pixels of a column and of a row of Grafana's grid."""
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0")
NAMED = {"green": "#73bf69", "red": "#f2495c", "orange": "#ff9830", "yellow": "#fade2a", "blue": "#5794f2"}
STYLE = """
body {{ margin: 0; background: #111217; color: #ccccdc; font: 13px sans-serif; width: {width}px }}
h1 {{ font-size: 18px; margin: 10px 8px 0 }} p {{ margin: 4px 8px; color: #ff9830 }}
main {{ position: relative; height: {height}px }}
section {{ position: absolute; overflow: hidden; box-sizing: border-box; padding: 4px 8px; border: 1px solid #2c2e35;
  background: #181b1f }}
section.row {{ border: 0; background: none; font-weight: bold }}
h2 {{ font-size: 12px; margin: 0 }} b.stat {{ display: block; font-size: 20px; margin-top: 14px; white-space: nowrap }}
td, th {{ text-align: left; padding: 1px 8px 1px 0; font-size: 11px; white-space: nowrap }}
text {{ fill: #ccccdc; font-size: 10px }}
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel: how its legend calls it, its labels, and points of Unix seconds and value."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is drawn, in Unix seconds."""

    start: float
    end: float

    def x(self, at: float, width: float) -> float:
        return (at - self.start) / (self.end - self.start) * width


def page(title: str, told: str, panels: Sequence[tuple[Panel, Sequence[Series]]], span: Span) -> str:
    """A page with every panel at its place on Grafana's grid, and `told` on top."""
    height = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one, _ in panels) * ROW
    style = STYLE.format(width=24 * CELL, height=height)
    drawn = "".join(_panel(panel, series, span) for panel, series in panels)
    head = f"<h1>{escape(title)}</h1><p>{escape(told)}</p>"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{head}<main>{drawn}</main>"


def _panel(panel: Panel, series: Sequence[Series], span: Span) -> str:
    at = panel["gridPos"]
    width, height = at["w"] * CELL, at["h"] * ROW
    place = f"left:{at['x'] * CELL}px;top:{at['y'] * ROW}px;width:{width}px;height:{height}px"
    draw = {"stat": _stat, "table": _table, "timeseries": _lines, "state-timeline": _bars}.get(panel["type"])
    inside = "".join(draw(panel, series, span)) if draw else ""
    return f'<section class="{panel["type"]}" style="{place}"><h2>{escape(panel["title"])}</h2>{inside}</section>'


def _stat(panel: Panel, series: Sequence[Series], span: Span) -> Iterator[str]:
    named = panel["options"].get("textMode") == "name"
    for one in series[:1]:
        text, colour = _worded(panel, one.points[-1][1])
        yield f'<b class="stat" style="color:{colour}">{escape(one.name if named else text)}</b>'


def _table(panel: Panel, series: Sequence[Series], span: Span) -> Iterator[str]:
    rows: dict[str, dict[str, str]] = {}
    for one in series:
        labels = {name: text for name, text in one.labels.items() if name not in ("__name__", "job", "instance")}
        run = labels.get("run", "") + labels.get("phase", "")
        row = rows.setdefault(run or str(sorted(labels.items())), {})
        row |= labels
        if "run" not in labels or "phase" in labels:
            row["value"] = _worded(panel, one.points[-1][1])[0]
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    yield "<table><tr>" + "".join(f"<th>{escape(name)}</th>" for name in columns) + "</tr>"
    for row in rows.values():
        yield "<tr>" + "".join(f"<td>{escape(row.get(name, ''))}</td>" for name in columns) + "</tr>"
    yield "</table>"


def _lines(panel: Panel, series: Sequence[Series], span: Span) -> Iterator[str]:
    width, height = panel["gridPos"]["w"] * CELL - 80, panel["gridPos"]["h"] * ROW - 62
    defaults = panel["fieldConfig"]["defaults"]
    steps = [one for one in defaults["thresholds"]["steps"] if one["value"] is not None]
    is_limited = defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off"
    limits = steps if is_limited else []
    values = [value for one in series for _, value in one.points if math.isfinite(value)] or [0.0]
    top = max(*values, *(one["value"] for one in limits), defaults.get("custom", {}).get("axisSoftMax", 0)) or 1
    yield f'<svg width="{width + 70}" height="{height + 34}"><g transform="translate(60 8)">'
    for share in (0.0, 0.5, 1.0):
        y, text = height - share * height, _worded(panel, share * top)[0]
        yield f'<line x2="{width}" y1="{y}" y2="{y}" stroke="#2c2e35"/><text x="-56" y="{y + 4}">{escape(text)}</text>'
    for one in limits:
        y, colour = height - one["value"] / top * height, NAMED.get(one["color"], one["color"])
        yield f'<line x2="{width}" y1="{y}" y2="{y}" stroke="{colour}" stroke-dasharray="6 4"/>'
    legend: list[str] = []
    for number, one in enumerate(series):
        colour, shown = COLOURS[number % len(COLOURS)], [at for at in one.points if math.isfinite(at[1])]
        points = " ".join(f"{span.x(at, width):.1f},{height - value / top * height:.1f}" for at, value in shown)
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        legend.append(f'<tspan dx="12" style="fill:{colour}">{escape(one.name)}</tspan>')
    yield f'<text y="{height + 20}">{"".join(legend)}</text></g></svg>'


def _bars(panel: Panel, series: Sequence[Series], span: Span) -> Iterator[str]:
    width, height = panel["gridPos"]["w"] * CELL - 270, panel["gridPos"]["h"] * ROW - 40
    tall = min(height / max(len(series), 1), 40)
    yield f'<svg width="{width + 260}" height="{height + 6}">'
    for number, one in enumerate(series):
        y = number * tall
        yield f'<text x="0" y="{y + tall / 2 + 4}">{escape(one.name)}</text>'
        for (at, value), (until, _) in zip(one.points, (*one.points[1:], (span.end, 0.0)), strict=True):
            colour = _worded(panel, value)[1]
            left, right = span.x(at, width), span.x(min(until, at + 1.5), width)
            size = f'width="{right - left + 0.5:.1f}" height="{tall - 4}"'
            yield f'<rect x="{250 + left:.1f}" y="{y + 2}" {size} fill="{colour}"/>'
    yield "</svg>"


def _worded(panel: Panel, value: float) -> tuple[str, str]:
    """A value as its panel words and colours it: by a mapping, or else by unit and threshold."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", ()):
        found: Mapping[str, Any] | None = mapping["options"].get(f"{value:g}") if mapping["type"] == "value" else None
        if found is not None:
            colour = found.get("color", "#8e8e8e")
            return str(found.get("text", f"{value:g}")), NAMED.get(colour, colour)
    steps = [one for one in defaults["thresholds"]["steps"] if one["value"] is None or value >= one["value"]]
    colour = NAMED.get(steps[-1]["color"], steps[-1]["color"]) if steps else "#ccccdc"
    match defaults.get("unit"):
        case "percentunit":
            return f"{value:.0%}", colour
        case "s":
            return f"{value:.3g} s", colour
        case "bytes":
            return f"{value / 1e6:.0f} MB", colour
        case _:
            return f"{value:.4g}", colour
