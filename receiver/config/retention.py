"""How long, and how much of, the past is kept."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

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


class Files(Section):
    """Files of one kind in `logs`; the oldest go first."""

    age: Age = _THIRTEEN_MONTHS
    bytes: Integer = Field(default=1_000_000_000, ge=1_000_000)


class Logs(Section):
    """Full files of the agent's own log; `log` says how large they are and how many."""

    age: Age = _THIRTEEN_MONTHS


class Records(Section):
    """Closed segments of the audit trail; without an age they stay until a person removes them.

    There is no limit by size: whoever can cause many records must not be able to push out those of what they did.
    """

    age: Age | None = None


class Retention(Section):
    """What is kept of each kind; an hourly job removes what is beyond it and needed by nothing."""

    incidents: Incidents = Incidents()
    reports: Files = Files()
    outputs: Files = Files()
    logs: Logs = Logs()
    audit: Records = Records()

    @model_validator(mode="after")
    def _keeps_what_reports_are_checked_against(self) -> Self:
        if self.audit.age is not None and self.audit.age < self.reports.age:
            raise ValueError("audit.age must not be below reports.age; a report names a record of the audit trail")
        return self
