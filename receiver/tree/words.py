"""Writes the two sides of a comparison for people."""

from __future__ import annotations

import math

from receiver.tree.conditions import Condition
from receiver.tree.readings import Reading
from receiver.tree.units import Unit, in_unit

NO_DATA, NO_TRAFFIC = "no data", "no traffic"


def value_in_words(condition: Condition, reading: Reading) -> str:
    """The value, with as many digits as tell it from its limit."""
    if math.isnan(reading.value):
        return NO_TRAFFIC
    limit = "" if reading.threshold is None else in_unit(reading.threshold, condition.unit)
    texts = [in_unit(reading.value, condition.unit, digits) for digits in (3, 4, 5, 6)]
    return next((text for text in texts if text != limit), texts[0])


def limit_in_words(condition: Condition, threshold: float) -> str:
    """What it is compared with, such as `> 10%`."""
    if math.isnan(threshold):
        return f"{condition.operator} {NO_TRAFFIC}"
    unit = Unit.NUMBER if condition.unit is Unit.TIMESTAMP and threshold == 0 else condition.unit
    return f"{condition.operator} {in_unit(threshold, unit)}"
