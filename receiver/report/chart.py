"""Draws how availability and errors went around the incident, as an SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from receiver.model import History

AVAILABILITY, ERRORS = "deployment:availability:ratio", "service:http_request_errors:ratio_rate1m"
_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 40, 26
_GAP = 90.0
"""Seconds between two samples over which nothing is drawn: what was not measured has no line."""
_STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; fill: #333; }
.grid { stroke: #ddd; } .moment { stroke: #777; stroke-dasharray: 3 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.availability { stroke: #1a6e3c; } .errors { stroke: #b3261e; stroke-dasharray: 6 3; }
text.availability { stroke: none; fill: #1a6e3c; } text.errors { stroke: none; fill: #b3261e; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; fill: #ccc; } .grid { stroke: #333; } .moment { stroke: #999; }
  .availability { stroke: #6fd69a; } .errors { stroke: #ff8f85; }
  text.availability { fill: #6fd69a; } text.errors { fill: #ff8f85; }
}
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, marked by a line with its name."""

    name: str
    at: float


def chart(history: Iterable[History], moments: Iterable[Moment]) -> str | None:
    """The drawing, or None where there is nothing to draw; shares from 0 to 100 % over the time that was measured."""
    drawn = {one.name: one for one in history if one.name == AVAILABILITY and one.points}
    errors = _worst_service(one for one in history if one.name == ERRORS)
    lines = [("availability", one.points) for one in drawn.values()] + ([("errors", errors)] if errors else [])
    if not lines:
        return None
    told = tuple(moments)
    since = min(points[0][0] for _, points in lines)
    until = max(since + 1, *(points[-1][0] for _, points in lines), *(moment.at for moment in told))
    parts = [*_frame(since, until, {name for name, _ in lines}), *_moments(told, since, until)]
    for name, points in lines:
        parts += [
            f'<polyline class="line {name}" points="{_points(piece, since, until)}"/>' for piece in _pieces(points)
        ]
    title = "Availability of the checks, and the share of requests answered with 5xx"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title><style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _worst_service(series: Iterable[History]) -> tuple[tuple[float, float], ...]:
    """At each moment the share of the service that failed most."""
    found: dict[float, float] = {}
    for one in series:
        for at, value in one.points:
            found[at] = max(value, found.get(at, 0.0))
    return tuple(sorted(found.items()))


def _pieces(points: tuple[tuple[float, float], ...]) -> Iterator[list[tuple[float, float]]]:
    piece: list[tuple[float, float]] = []
    for point in points:
        if piece and point[0] - piece[-1][0] > _GAP:
            yield piece
            piece = []
        piece.append(point)
    yield piece


def _points(piece: list[tuple[float, float]], since: float, until: float) -> str:
    # A single sample is a dot of a pixel rather than nothing.
    shown = piece if len(piece) > 1 else [piece[0], (piece[0][0] + (until - since) / _WIDTH, piece[0][1])]
    return " ".join(f"{_x(at, since, until):.1f},{_y(value):.1f}" for at, value in shown)


def _frame(since: float, until: float, drawn: set[str]) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'
    for at, anchor in ((since, "start"), (until, "end")):
        x = _x(at, since, until)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{_clock(at)}</text>'
    if "availability" in drawn:
        yield f'<text class="availability" x="{_LEFT}" y="14">availability</text>'
    if "errors" in drawn:
        yield f'<text class="errors" x="{_LEFT + 90}" y="14">5xx, worst service, last minute</text>'


def _moments(moments: Iterable[Moment], since: float, until: float) -> Iterator[str]:
    taken = 0.0
    for moment in sorted(moments, key=lambda one: one.at):
        if not since <= moment.at <= until:
            continue
        x = _x(moment.at, since, until)
        yield f'<line class="moment" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        if x >= taken:  # two names in one place could not be read
            end = x > _WIDTH - 120
            yield f'<text x="{x + (-4 if end else 4):.1f}" y="{_TOP - 4}"{_ANCHOR_END if end else ""}>'
            yield f"{escape(moment.name)}</text>"
            taken = x + 8 * len(moment.name)


_ANCHOR_END = ' text-anchor="end"'


def _x(at: float, since: float, until: float) -> float:
    return _LEFT + (at - since) / (until - since) * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _TOP + (1 - min(max(share, 0.0), 1.0)) * (_HEIGHT - _TOP - _BOTTOM)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%SZ")
