"""Reads the incidents that people have reviewed: when they were, and whether a rollback was the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from configfile import Boolean, Section, load
from receiver.durations import unix_seconds

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
