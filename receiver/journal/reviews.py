"""What people found of incidents afterwards, and the catalogue of failure patterns that grows from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from receiver.journal import tables
from receiver.model import Found


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewed incident with what the agent had decided; times are Unix seconds, or None where nobody knows.

    It stands for itself, so it can be read when its incident is long forgotten. `incident` is None where the agent had
    missed it; `branch` then is the one that should have fired, or `none`.
    """

    id: str
    incident: str | None
    deployment: str
    branch: str
    decided_rollback: bool
    confidence: float | None
    decided_at: float | None
    began_at: float | None
    noticed_at: float | None
    ended_at: float | None
    necessary: Found
    level_right: Found
    hotfix_possible: Found
    cause: str
    pattern: str | None
    features: frozenset[str]
    reviewed_at: float
    reviewed_by: str
    approved_success: bool = False
    """Whether a person had approved its fast rollback, and that was verified as restored."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An incident in time (Unix seconds), with its review if it has one; one that was missed was never opened."""

    deployment: str
    incident: str | None
    opened_at: float | None
    closed_at: float | None
    """None where it is still open."""
    review: Review | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to fail that was seen, and how often it was."""

    name: str
    first_at: float
    last_at: float
    seen: int
    rollbacks_necessary: int
    features: tuple[str, ...]
    """What all of its incidents show."""
    causes: tuple[str, ...]
    """What people gave as their causes, the newest first, each once."""


def put(tx: sa.Connection, review: Review) -> None:
    """Keep a review, in the place of an earlier one of the same incident."""
    table = tables.review
    if review.incident is not None:
        tx.execute(sa.delete(table).where(table.c.incident == review.incident))
    as_stored = {
        "features": json.dumps(sorted(review.features)),
        "decided_rollback": int(review.decided_rollback),
        "approved_success": int(review.approved_success),
    }
    tx.execute(sa.insert(table).values(asdict(review) | as_stored))


def of_incident(tx: sa.Connection, incident: str) -> Review | None:
    """The review of an incident."""
    table = tables.review
    row = tx.execute(sa.select(table).where(table.c.incident == incident)).first()
    return None if row is None else _review(row)


def find(tx: sa.Connection, deployment: str | None = None) -> tuple[Review, ...]:
    """All reviews, the newest first."""
    table = tables.review
    query = sa.select(table).order_by(table.c.reviewed_at.desc(), table.c.id)
    if deployment is not None:
        query = query.where(table.c.deployment == deployment)
    return tuple(map(_review, tx.execute(query)))


def unreviewed(tx: sa.Connection) -> dict[str, list[str]]:
    """The closed incidents of each deployment that nobody has reviewed, the newest first."""
    incident, review = tables.incident, tables.review
    query = (
        sa.select(incident.c.deployment, incident.c.id)
        .outerjoin(review, review.c.incident == incident.c.id)
        .where(incident.c.closed_at.is_not(None), review.c.id.is_(None))
        .order_by(incident.c.opened_at.desc())
    )
    found: dict[str, list[str]] = {}
    for row in tx.execute(query):
        found.setdefault(row.deployment, []).append(row.id)
    return found


def occurrences(tx: sa.Connection) -> tuple[Occurrence, ...]:
    """Every incident that the journal knows of, removed ones as long as they are remembered, and every missed one."""
    given = find(tx)
    by_incident = {one.incident: one for one in given if one.incident is not None}
    found = []
    for table in (tables.incident, tables.removed_incident):
        for row in tx.execute(sa.select(table.c.id, table.c.deployment, table.c.opened_at, table.c.closed_at)):
            review = by_incident.get(row.id)
            found.append(Occurrence(row.deployment, row.id, row.opened_at, row.closed_at, review))
    known = {one.incident for one in found}
    beside = (one for one in given if one.incident is None or one.incident not in known)
    return (*found, *(Occurrence(one.deployment, one.incident, None, None, one) for one in beside))


def patterns(tx: sa.Connection) -> tuple[Pattern, ...]:
    """The catalogue, what was seen most often first."""
    by_name: dict[str, list[Review]] = {}
    for one in find(tx):
        if one.pattern:
            by_name.setdefault(one.pattern, []).append(one)
    found = [_pattern(name, reviews) for name, reviews in by_name.items()]
    return tuple(sorted(found, key=lambda one: (-one.seen, one.name)))


def _pattern(name: str, reviews: list[Review]) -> Pattern:
    moments = [one.began_at or one.decided_at or one.reviewed_at for one in reviews]
    return Pattern(
        name=name,
        first_at=min(moments),
        last_at=max(moments),
        seen=len(reviews),
        rollbacks_necessary=sum(one.necessary is Found.YES for one in reviews),
        features=tuple(sorted(frozenset.intersection(*(one.features for one in reviews)))),
        causes=tuple(dict.fromkeys(one.cause for one in reviews if one.cause)),
    )


def _review(row: Any) -> Review:
    values = dict(row._mapping)
    return Review(
        **values
        | {
            "decided_rollback": bool(row.decided_rollback),
            "approved_success": bool(row.approved_success),
            "features": frozenset(json.loads(row.features)),
            "necessary": Found(row.necessary),
            "level_right": Found(row.level_right),
            "hotfix_possible": Found(row.hotfix_possible),
        }
    )
