"""Groups of rules as types, in the shape in which a running Prometheus tells them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter

MISSED_EVALUATIONS = 3
"""A group that was not evaluated for as many of its intervals is not evaluated at all."""


class Kind(StrEnum):
    """What a rule makes: a series, or alerts."""

    RECORDING = "recording"
    ALERTING = "alerting"


class Activity(StrEnum):
    """How far an alert is."""

    PENDING = "pending"
    FIRING = "firing"


def _unix_seconds(moment: object) -> object:
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else moment


Moment = Annotated[float, BeforeValidator(_unix_seconds)]
"""RFC 3339 in the answer, Unix seconds in the program; year 1 says "never"."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One element that an alert rule has found."""

    labels: dict[str, str]
    state: Activity
    active_since: Annotated[Moment, Field(alias="activeAt")]
    """When the condition became true; it fires from the rule's `duration` later on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; durations are in seconds, `health` and what follows it are Prometheus' and not a file's."""

    name: str
    kind: Annotated[Kind, Field(alias="type")]
    query: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    duration: float = 0.0
    keep_firing_for: Annotated[float, Field(alias="keepFiringFor")] = 0.0
    alerts: tuple[Alert, ...] = ()
    health: str = "unknown"
    last_error: Annotated[str, Field(alias="lastError")] = ""
    evaluation_time: Annotated[float, Field(alias="evaluationTime")] = 0.0
    """Seconds that its last evaluation took."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rules of one group; of a file without its own `interval`, that is None and Prometheus' default holds."""

    name: str
    rules: tuple[Rule, ...]
    interval: float | None = None
    last_evaluation: Annotated[Moment, Field(alias="lastEvaluation")] = 0.0
    evaluation_time: Annotated[float, Field(alias="evaluationTime")] = 0.0
    """Seconds that its last evaluation took."""

    def is_overdue(self, now: float, loaded_at: float = -math.inf) -> bool:
        """Whether too many evaluations were missed, counted from when it was loaded; moments are Unix seconds."""
        return now - max(self.last_evaluation, loaded_at) > MISSED_EVALUATIONS * (self.interval or 0.0)


@dataclass(frozen=True, slots=True)
class LoadedGroups:
    """What `/api/v1/rules` answers."""

    groups: tuple[Group, ...]


LOADED_GROUPS = TypeAdapter(LoadedGroups)
