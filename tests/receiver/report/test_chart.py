"""The chart is a drawing that stands by itself, of what was measured and nothing else."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from receiver.model import History
from receiver.report.chart import AVAILABILITY, ERRORS, Moment, chart

NOW = 1_795_446_245.0
SVG = "{http://www.w3.org/2000/svg}"


def drawn(history: list[History], *moments: Moment) -> ET.Element:
    text = chart(history, moments)
    assert text is not None
    return ET.fromstring(text)


def lines(svg: ET.Element) -> list[tuple[str, int]]:
    """The class of each line, and how many points it has."""
    return [(line.get("class", ""), len(line.get("points", "").split())) for line in svg.iter(f"{SVG}polyline")]


def test_it_draws_availability_and_the_worst_service() -> None:
    """Errors are those of the service that fails most at each moment, and other signals are left out."""
    svg = drawn(
        [
            History(AVAILABILITY, None, ((NOW, 1.0), (NOW + 10, 0.5))),
            History(ERRORS, "flask", ((NOW, 0.0), (NOW + 10, 1.0))),
            History(ERRORS, "gradio", ((NOW, 0.5), (NOW + 10, 0.0))),
            History("service:http_requests:rate1m", "flask", ((NOW, 1e6),)),
        ]
    )
    assert lines(svg) == [("line availability", 2), ("line errors", 2)]
    errors = next(line for line in svg.iter(f"{SVG}polyline") if line.get("class") == "line errors")
    heights = [float(point.split(",")[1]) for point in errors.get("points", "").split()]
    assert heights[0] > heights[1], "half at first, then all: the higher on the page, the more"


def test_what_was_not_measured_has_no_line() -> None:
    """A gap in the samples is a gap in the line, and a single sample is a dot."""
    points = ((NOW, 1.0), (NOW + 10, 1.0), (NOW + 500, 0.0), (NOW + 510, 0.0), (NOW + 900, 1.0))
    assert lines(drawn([History(AVAILABILITY, None, points)])) == [("line availability", 2)] * 3


def test_what_happened_is_marked_with_its_name() -> None:
    """From the first sample on; names that would lie on each other are left out, and text stays text."""
    svg = drawn(
        [History(AVAILABILITY, None, ((NOW, 1.0), (NOW + 600, 1.0)))],
        Moment("<decided>", NOW + 100), Moment("rolled back", NOW + 101), Moment("restored", NOW + 690),
        Moment("before", NOW - 5),
    )  # fmt: skip
    names = [text.text for text in svg.iter(f"{SVG}text") if not text.get("class")]
    assert [one for one in names if one and re.search("[a-y]", one)] == ["<decided>", "restored"]
    assert sum(line.get("class") == "moment" for line in svg.iter(f"{SVG}line")) == 3


@pytest.mark.parametrize("history", [[], [History(AVAILABILITY, None, ())], [History("other", None, ((NOW, 1.0),))]])
def test_nothing_is_drawn_of_nothing(history: list[History]) -> None:
    """No samples, no chart: an empty frame would look like "all was zero"."""
    assert chart(history, ()) is None


def test_it_needs_nothing_from_elsewhere() -> None:
    """No script, no address but the name space, and numbers within the drawing whatever the share is."""
    text = chart([History(AVAILABILITY, None, ((NOW, -5.0), (NOW, 7.0)))], ())
    assert text is not None
    assert "script" not in text
    assert re.findall('https?://[^"]+', text) == ["http://www.w3.org/2000/svg"]
    points = [float(number) for pair in re.findall(r'points="([^"]+)"', text) for number in re.split("[ ,]", pair)]
    assert all(0 <= number <= 721 for number in points)
