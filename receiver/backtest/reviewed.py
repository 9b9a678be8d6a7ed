"""What people have found of incidents, to judge decisions by: from a file, or as it was entered into the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from configfile import Boolean, Section, load
from receiver.durations import unix_seconds
from receiver.journal.reviews import Occurrence
from receiver.model import Found

Moment = Annotated[float, BeforeValidator(unix_seconds)]
NO_REVIEW = "nobody has reviewed it"
UNSURE = "its review is unsure whether a rollback was necessary"
NO_END = "nobody knows when it ended"
CUT = "it lies only in part in the time that is replayed"


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident, or a time of which somebody has said that nothing was to be done; moments are Unix seconds."""

    deployment: str
    since: float
    until: float
    rollback: bool
    """Whether rolling back was the remedy."""
    cause: str = ""
    mitigated_at: float | None = None
    """When a person had found it out."""
    began_is_known: bool = True
    """Whether it began at `since`, or had been noticed by then."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A time (Unix seconds) in which a rollback is neither right nor wrong, and why."""

    deployment: str
    since: float
    until: float
    why: str
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Reviews:
    """All that was found of a time, and by what `source` it is told."""

    source: str
    incidents: tuple[Incident, ...]
    unanswered: tuple[Unanswered, ...] = ()

    def within(self, since: float, until: float, only: Iterable[str] = ()) -> Reviews:
        """What meets a period (Unix seconds), of these deployments; of half an incident nothing can be said."""
        named = set(only)

        def is_met(one: Incident | Unanswered) -> bool:
            return one.since <= until and one.until >= since and (not named or one.deployment in named)

        met = tuple(filter(is_met, self.incidents))
        whole = tuple(one for one in met if since <= one.since and one.until <= until)
        cut = (Unanswered(one.deployment, one.since, one.until, CUT) for one in met if one not in whole)
        return replace(self, incidents=whole, unanswered=(*filter(is_met, self.unanswered), *cut))


class _Incident(Section):
    deployment: str
    since: Moment
    until: Moment
    rollback: Boolean
    cause: str = ""
    mitigated_at: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class _Reviewed(Section):
    incidents: tuple[_Incident, ...] = Field(min_length=1)


def read_reviewed(path: Path) -> Reviews:
    """The reviewed incidents of a YAML or JSON file; raises ConfigError with every fault and its line."""
    return Reviews(str(path), tuple(Incident(**one.model_dump()) for one in load(path, _Reviewed).incidents))


def reviews_of_journal(occurrences: Iterable[Occurrence], now: float) -> Reviews:
    """The same of the incidents that the agent had, and of those that it had missed and people entered."""
    found = [one for occurrence in occurrences for one in _read(occurrence, now)]
    return Reviews(
        "the journal",
        tuple(one for one in found if isinstance(one, Incident)),
        tuple(one for one in found if isinstance(one, Unanswered)),
    )


def _read(one: Occurrence, now: float) -> Iterator[Incident | Unanswered]:
    review, opened = one.review, one.opened_at
    if review is None:
        if opened is not None:
            yield Unanswered(one.deployment, opened, one.closed_at or now, NO_REVIEW, one.incident)
        return
    since = review.began_at or opened or review.decided_at
    if since is None:
        return  # nothing is known of when it was, so nothing that is replayed can be set beside it
    # A missed incident went on at least until somebody noticed it.
    until = review.ended_at or one.closed_at or review.noticed_at
    if review.necessary is Found.UNSURE or until is None:
        yield Unanswered(one.deployment, since, until or since, NO_END if until is None else UNSURE, one.incident)
        return
    yield Incident(
        deployment=one.deployment,
        since=since,
        until=max(until, since),
        rollback=review.necessary is Found.YES,
        cause=review.cause,
        mitigated_at=review.noticed_at,
        began_is_known=review.began_at is not None,
    )
