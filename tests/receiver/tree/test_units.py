"""How values are written for people."""

from __future__ import annotations

import math

import pytest

from receiver.tree.units import Unit, in_unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.1, Unit.RATIO, "10%"),
        (0.001, Unit.RATIO, "0.1%"),
        (0.31249, Unit.RATIO, "31.2%"),
        (1, Unit.RATIO, "100%"),
        (0, Unit.RATIO, "0%"),
        (12.5, Unit.RATIO, "1250%"),
        (0.0000012, Unit.RATIO, "0.00012%"),
        (-0.02, Unit.RATIO, "-2%"),
        (1234567.8, Unit.NUMBER, "1234568"),
        (2.5, Unit.NUMBER, "2.5"),
        (0.0498, Unit.SECONDS, "0.0498 s"),
        (3600, Unit.SECONDS, "1:00:00"),
        (1795520712, Unit.TIMESTAMP, "11:45:12Z"),
        (0, Unit.TIMESTAMP, "none"),
        (math.inf, Unit.RATIO, "infinite"),
        (-math.inf, Unit.SECONDS, "-infinite"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: Unit, text: str) -> None:
    """Three digits that count, never an exponent, and durations and moments as clocks show them."""
    assert in_unit(value, unit) == text
