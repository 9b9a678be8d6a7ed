"""Reads the incidents that people have reviewed: when they were, and whether a rollback was the remedy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from configfile import Boolean, Section, load


def unix_seconds(moment: object) -> float:
    """A moment in ISO 8601, in UTC where it names no zone; raises ValueError."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if not isinstance(moment, datetime):
        raise ValueError(f"{moment!r} is no moment such as 2026-11-30T13:05:00Z")  # noqa: TRY004 - pydantic's
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Moment = Annotated[float, BeforeValidator(unix_seconds)]


class Incident(Section):
    """One incident, or a time of which somebody has said that nothing was to be done."""

    deployment: str
    since: Moment
    until: Moment
    rollback: Boolean
    """Whether rolling back was the remedy."""
    cause: str = ""
    mitigated_at: Moment | None = None
    """When a person had found it out and acted."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class Reviewed(Section):
    """The whole file."""

    incidents: tuple[Incident, ...] = Field(min_length=1)


def read_reviewed(path: Path) -> tuple[Incident, ...]:
    """The reviewed incidents of a YAML or JSON file; raises ConfigError with every fault and its line."""
    return load(path, Reviewed).incidents
