"""The pictures of the dashboards hold every panel, say what they are, and word values as the dashboards do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.grafana.drawn import Series, Span, page
from tests.grafana.reading import FILES, read

SPAN = Span(0.0, 10.0)
SERIES = [Series("flask", {"service": "flask"}, [(1.0, 0.0), (2.0, float("nan")), (3.0, 1.0)])]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_is_drawn(file: Path) -> None:
    """Each panel has its title and something in it, whatever its type; what the picture is stands on top."""
    panels = read(file)["panels"]
    text = page("A dashboard", "not <Grafana>", [(panel, SERIES) for panel in panels], SPAN)

    assert "not &lt;Grafana&gt;" in text
    drawn = re.findall(r'<section class="([a-z-]+)"[^>]*><h2>([^<]*)</h2>(.*?)</section>', text)
    assert [title for _, title, _ in drawn] == [panel["title"] for panel in panels]
    assert [title for kind, title, inside in drawn if kind != "row" and not inside] == []


def test_a_line_leaves_out_what_is_no_number() -> None:
    """NaN is no point of a line, and 0 to 1 fill the panel from its foot to its head."""
    (panel,) = (one for one in read(FILES[1])["panels"] if one["title"] == "Availability")
    (points,) = re.findall(r'<polyline points="([^"]*)"', page("A", "B", [(panel, SERIES)], SPAN))
    (_, low), (_, high) = (point.split(",") for point in points.split())
    assert (float(low), float(high)) == (8 * 30 - 62, 0.0)
