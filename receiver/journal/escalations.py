"""Escalations: a human is needed; open until a person answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.counts import bump
from receiver.journal.database import insert_new, new_id
from receiver.model import EscalationReason
from receiver.redact import redact_text

MOST_OPEN = 20
RETRY, DONE, GIVE_UP, SUPERSEDED = "retry", "done", "give_up", "superseded"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Why a human is needed, and the answer; times are Unix seconds."""

    id: str
    incident: str | None
    run: str | None
    deployment: str
    reason: EscalationReason
    summary: str
    opened_at: float
    answered_at: float | None
    answered_by: str | None
    answer: str | None
    comment: str | None
    raised_at: float | None
    """When Alertmanager last took it."""


def open_one(
    tx: sa.Connection,
    deployment: str,
    reason: EscalationReason,
    summary: str,
    now: float,
    *,
    incident: str | None = None,
    run: str | None = None,
) -> None:
    """Ask for a human; the same reason asks once in a run, and outside a run while the same question is open.

    Outside of runs at most MOST_OPEN wait at once, since whoever sends many odd alerts must not call a human for each.
    """
    summary = redact_text(summary)  # as it is kept, so that the same question is recognised
    if run is None:
        waiting = {one.summary for one in find(tx, only_open=True) if one.run is None and one.reason is reason}
        if len(waiting) >= MOST_OPEN:
            summary = f"more than {MOST_OPEN} questions like these are open; those that came later are not listed"
        if summary in waiting:
            return
    row = {
        "id": new_id(), "incident": incident, "run": run, "deployment": deployment, "reason": reason,
        "summary": summary, "opened_at": now,
    }  # fmt: skip
    if insert_new(tx, tables.escalation, row):
        bump(tx, "escalations", deployment=deployment, reason=reason)


def answer(tx: sa.Connection, escalation: str, now: float, person: str, word: str, comment: str) -> bool:
    """Close an escalation with a person's answer, `retry` or `done`; returns whether it was open."""
    table = tables.escalation
    update = sa.update(table).where(table.c.id == escalation, table.c.answered_at.is_(None))
    values = {"answered_at": now, "answered_by": person, "answer": word, "comment": comment}
    return tx.execute(update.values(**values)).rowcount == 1


def was_answered(tx: sa.Connection, run: str) -> bool:
    """Whether a person has answered what a run asked."""
    table = tables.escalation
    query = sa.select(table.c.id).where(table.c.run == run, table.c.answered_at.is_not(None))
    return tx.execute(query).first() is not None


def settle(tx: sa.Connection, run: str, now: float, person: str, word: str) -> None:
    """Close what a run asked, since its approval was decided or has ended."""
    table = tables.escalation
    update = sa.update(table).where(table.c.run == run, table.c.answered_at.is_(None))
    tx.execute(update.values(answered_at=now, answered_by=person, answer=word))


def supersede(tx: sa.Connection, run: str, reason: EscalationReason, now: float) -> None:
    """Close what a run asked for any other reason, since it asks for this one now: one call a run is enough."""
    table = tables.escalation
    others = sa.update(table).where(table.c.run == run, table.c.reason != reason, table.c.answered_at.is_(None))
    tx.execute(others.values(answered_at=now, answered_by="rollback-agent", answer=SUPERSEDED))


def find(
    tx: sa.Connection, *, incident: str | None = None, escalation: str | None = None, only_open: bool = False
) -> tuple[Escalation, ...]:
    """Escalations, oldest first, all or those of an incident or id."""
    table = tables.escalation
    query = sa.select(table).order_by(table.c.opened_at)
    if incident is not None:
        query = query.where(table.c.incident == incident)
    if escalation is not None:
        query = query.where(table.c.id == escalation)
    if only_open:
        query = query.where(table.c.answered_at.is_(None))
    return _read(tx, query)


def to_tell(tx: sa.Connection, now: float, resend_every: float, linger: float) -> Iterator[Escalation]:
    """What Alertmanager has to be told now, those first that it has not heard of; read as far as it is looked at.

    That is each that is open, unless it was told within `resend_every` seconds; and the end of each that it was told,
    `linger` seconds after its answer.
    """
    table = tables.escalation
    # A clock that was set back must not make one wait: what was told in the future was told at no known time.
    is_open = sa.and_(
        table.c.answered_at.is_(None),
        sa.or_(table.c.raised_at.is_(None), table.c.raised_at <= now - resend_every, table.c.raised_at > now),
    )
    is_over = sa.and_(
        table.c.raised_at.is_not(None),
        table.c.lowered_at.is_(None),
        sa.or_(table.c.answered_at <= now - linger, table.c.answered_at > now),
    )
    order = (sa.func.coalesce(table.c.raised_at, 0), table.c.opened_at)
    return map(_escalation, tx.execute(sa.select(table).where(sa.or_(is_open, is_over)).order_by(*order)))


def raised(tx: sa.Connection, escalation: str, at: float) -> None:
    """Alertmanager has taken an escalation as firing; one that was answered meanwhile it is told the end of, again."""
    table = tables.escalation
    tx.execute(sa.update(table).where(table.c.id == escalation).values(raised_at=at, lowered_at=None))


def lowered(tx: sa.Connection, escalation: str, at: float) -> None:
    """Alertmanager has taken the end of an escalation."""
    table = tables.escalation
    tx.execute(sa.update(table).where(table.c.id == escalation).values(lowered_at=at))


def forgettable(tx: sa.Connection, before: float) -> list[str]:
    """The ids of those outside of incidents that were answered before then (Unix seconds)."""
    return list(tx.execute(_old(before)).scalars())


def forget(tx: sa.Connection, before: float, limit: int) -> list[str]:
    """Remove up to `limit` outside of incidents that were answered before then (Unix seconds); returns their ids."""
    table = tables.escalation
    old = _old(before).limit(limit)
    return list(tx.execute(sa.delete(table).where(table.c.id.in_(old)).returning(table.c.id)).scalars())


def _old(before: float) -> sa.Select[tuple[str]]:
    table = tables.escalation
    return sa.select(table.c.id).where(table.c.incident.is_(None), table.c.run.is_(None), table.c.answered_at < before)


def _read(tx: sa.Connection, query: sa.Select[Any]) -> tuple[Escalation, ...]:
    return tuple(map(_escalation, tx.execute(query)))


def _escalation(row: Any) -> Escalation:
    return Escalation(
        row.id, row.incident, row.run, row.deployment, EscalationReason(row.reason), row.summary,
        row.opened_at, row.answered_at, row.answered_by, row.answer, row.comment,
        row.raised_at,
    )  # fmt: skip
