"""Draws precision over recall for the values of a sweep, as an SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from receiver.backtest.judged import Matrix

_WIDTH, _HEIGHT = 560, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 44, 52
_STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; fill: #333; }
.grid { stroke: #ddd; } .curve { fill: none; stroke: #1f5fa8; stroke-width: 2; stroke-linejoin: round; }
.point { fill: #1f5fa8; }
.present { fill: none; stroke: #b3261e; stroke-width: 2; } text.present { fill: #b3261e; stroke: none; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; fill: #ccc; } .grid { stroke: #333; } .curve { stroke: #7db4f0; }
  .point { fill: #7db4f0; } .present { stroke: #ff8f85; } text.present { fill: #ff8f85; }
}
"""


def curve(name: str, points: Sequence[tuple[str, Matrix]], present: Matrix) -> str:
    """The drawing: a dot for each value, and a ring where the present one stands.

    A value for which nothing was rolled back has no precision, and no dot.
    """
    shown = [(value, *place) for value, matrix in points if (place := _place(matrix)) is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in shown)
    parts = [*_frame(name), f'<polyline class="curve" points="{line}"/>']
    labelled: dict[tuple[int, int], list[str]] = {}
    for value, x, y in shown:
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        labelled.setdefault((round(x), round(y)), []).append(value)
    for (x, y), values in labelled.items():
        text = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
        anchor = ' text-anchor="end"' if x > _WIDTH / 2 else ""
        parts.append(f'<text x="{x + (-8 if anchor else 8)}" y="{y + 16}"{anchor}>{escape(text)}</text>')
    if (now := _place(present)) is not None:
        parts.append(f'<circle class="present" cx="{now[0]:.1f}" cy="{now[1]:.1f}" r="8"/>')
        parts.append(f'<text class="present" x="{_WIDTH - _RIGHT}" y="24" text-anchor="end">ring: as it is now</text>')
    title = escape(f"Precision over recall: {name}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title><style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _place(matrix: Matrix) -> tuple[float, float] | None:
    if matrix.precision is None or matrix.recall is None:
        return None
    return _x(matrix.recall), _y(matrix.precision)


def _frame(name: str) -> list[str]:
    parts = [f'<text x="{_LEFT}" y="24">{escape(name)}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _x(share), _y(share)
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>',
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{share:.0%}</text>',
        ]
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        *parts,
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">'
        "recall: bad releases that were rolled back</text>",
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">'
        "precision: rollbacks that were right</text>",
    ]


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)
