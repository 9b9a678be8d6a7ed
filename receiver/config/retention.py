"""How long, and how much of, the past is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from configfile import Integer, Section
from receiver.config_values import Period

SETTLED = 604800.0
"""Seconds for which nothing is touched after its end, whatever the limits say: people still speak of it."""
_THIRTEEN_MONTHS = 400 * 86400.0
"""A year and a month: so that last year's same month can be looked up."""


def _at_least_a_week(value: float) -> float:
    if value < SETTLED:
        raise ValueError("must be 7d or longer; what ended within a week is not removed")
    return value


Age = Annotated[Period, AfterValidator(_at_least_a_week)]


class Incidents(Section):
    """Incidents in the journal, with their runs and all that belongs to those."""

    age: Age = _THIRTEEN_MONTHS
    count: Integer = Field(default=10_000, ge=100)


class Retention(Section):
    """What is kept of each kind; an hourly job removes what is beyond it and needed by nothing."""

    incidents: Incidents = Incidents()
