"""Incidents that are over for good: which of them may go, and how they go without anything that counts going too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from receiver.config.retention import SETTLED
from receiver.journal import phase_totals, runs, tables
from receiver.journal.database import insert_new, let_take
from receiver.journal.deployments import is_within
from receiver.journal.ended import SHOWN
from receiver.journal.moments import Moment

RUNS_AT_ONCE, INCIDENTS_AT_ONCE = 200, 50
"""Of one transaction: who waits to store a notification waits for no more than these."""
LOOKING = 30.0
"""Seconds that it may take to find what may go: it looks at every incident, and nobody waits for it."""
REMEMBERED = 10_000
"""Removed incidents of which the journal can still say that, and when, they were removed."""
NAMED = 20
"""Runs of a removed incident that are remembered with their reports, the newest."""
_ALONE = 7_201_846  # any constant: of the replicas that remove at once one does


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond which an incident may go: seconds since its end, and how many are kept at most.

    `claims` are the seconds in which a rollback counts against the budget or the cooldown.
    """

    age: float
    count: int
    claims: float


@dataclass(frozen=True, slots=True)
class Past:
    """An incident that may go; times are Unix seconds."""

    id: str
    deployment: str
    opened_at: float
    closed_at: float


@dataclass(frozen=True, slots=True)
class Portion:
    """What one transaction takes: these runs of `touched` incidents, of which `whole` ones go with their last run.

    `left` are those that were asked about and may go in a later one.
    """

    touched: tuple[Past, ...]
    whole: tuple[Past, ...]
    runs: tuple[str, ...]
    left: tuple[Past, ...]


@dataclass(frozen=True, slots=True)
class InUse:
    """Runs whose incident must not go yet, whatever the limits, and where their reports are; latched deployments."""

    runs: frozenset[str]
    reports: frozenset[str]
    latched: frozenset[str]


@dataclass(frozen=True, slots=True)
class Removed:
    """What is remembered of an incident that was removed; `runs` are its newest, each with its report's path."""

    past: Past
    removed_at: float
    runs: tuple[tuple[str, str | None], ...]


def may_go(tx: sa.Connection, now: Moment, limits: Limits) -> tuple[Past, ...]:
    """The incidents beyond `limits` that nothing needs any more, those that ended first before others.

    It looks at all that there are, so it is no question for a transaction that others wait for.
    """
    table = tables.incident
    newest = sa.select(table.c.id).order_by(table.c.opened_at.desc(), table.c.id).limit(limits.count)
    is_old = sa.and_(*_ended_by(now - limits.age))
    is_beyond = sa.and_(*_ended_by(now - SETTLED), table.c.id.not_in(newest.scalar_subquery()))
    query = sa.select(table).where(
        sa.or_(is_old, is_beyond),
        *_needed_by_none(now, limits.claims),
        table.c.id.not_in(_newest().scalar_subquery()),
    )
    with let_take(tx, LOOKING):
        return _read(tx, query)


def in_use(tx: sa.Connection, now: Moment, claims: float) -> InUse:
    """What files are kept for, however old or large: all that `may_go` would leave in the journal in any case."""
    table, run, deployment = tables.incident, tables.run, tables.deployment
    over = sa.select(table.c.id).where(
        *_ended_by(now - SETTLED), *_needed_by_none(now, claims), table.c.id.not_in(_newest().scalar_subquery())
    )
    query = sa.select(run.c.id, run.c.report).where(run.c.incident.not_in(over.scalar_subquery()))
    with let_take(tx, LOOKING):
        needed = tx.execute(query).all()
    latched = tx.execute(sa.select(deployment.c.name).where(deployment.c.latched_at.is_not(None))).scalars()
    return InUse(
        frozenset(row.id for row in needed), frozenset(row.report for row in needed if row.report), frozenset(latched)
    )


def be_alone(tx: sa.Connection) -> bool:
    """Whether no other transaction removes incidents until this one ends; in a file whoever writes is alone."""
    if tx.dialect.name == "sqlite":
        return True
    return bool(tx.execute(sa.text("select pg_try_advisory_xact_lock(:key)"), {"key": _ALONE}).scalar_one())


def portion(tx: sa.Connection, now: Moment, claims: float, candidates: Sequence[Past]) -> Portion:
    """Of `candidates`, which `may_go` gave, as much as one transaction should take, and as still may go.

    An incident of very many runs goes in several. What may have changed since is asked anew; that ten newer runs, or
    as many incidents as are kept, have come since then cannot be taken back.
    """
    table, asked = tables.incident, candidates[:INCIDENTS_AT_ONCE]
    query = sa.select(table).where(table.c.id.in_([past.id for past in asked]))
    found = _read(tx, query.where(*_ended_by(now - SETTLED), *_needed_by_none(now, claims)))
    later = tuple(candidates[INCIDENTS_AT_ONCE:])
    touched: list[Past] = []
    going: list[str] = []
    for number, past in enumerate(found):
        left = RUNS_AT_ONCE - len(going)
        run = tables.run
        of_it = sa.select(run.c.id).where(run.c.incident == past.id).order_by(run.c.created_at, run.c.id)
        own = tx.execute(of_it.limit(left + 1)).scalars().all()
        if len(own) > left:
            rest = (*found[number:], *later)
            if touched:
                return Portion(tuple(touched), tuple(touched), tuple(going), rest)
            return Portion((past,), (), tuple(own[:left]), rest)
        touched.append(past)
        going += own
    return Portion(tuple(touched), tuple(touched), tuple(going), later)


def remove(tx: sa.Connection, what: Portion, now: float) -> None:
    """Remove it with all that belongs to it, remember that, and keep what was counted; whoever calls is alone at it."""
    for past in what.touched:
        _remember(tx, past, now)
    phase_totals.carry_over(tx, what.runs)
    run, approval, whole = tables.run, tables.approval, [past.id for past in what.whole]
    asked = sa.select(approval.c.id).where(approval.c.run.in_(what.runs))
    tx.execute(sa.delete(tables.vote).where(tables.vote.c.approval.in_(asked)))
    for table in (approval, tables.refusal, tables.escalation, tables.judgement, tables.step):
        tx.execute(sa.delete(table).where(table.c.run.in_(what.runs)))
    tx.execute(sa.delete(run).where(run.c.id.in_(what.runs)))
    tx.execute(sa.delete(tables.escalation).where(tables.escalation.c.incident.in_(whole)))
    tx.execute(sa.delete(tables.incident).where(tables.incident.c.id.in_(whole)))


def removed(tx: sa.Connection, incident: str) -> Removed | None:
    """What is remembered of an incident that was removed, or None."""
    row = tx.execute(sa.select(tables.removed_incident).where(tables.removed_incident.c.id == incident)).first()
    if row is None:
        return None
    past = Past(row.id, row.deployment, row.opened_at, row.closed_at)
    return Removed(past, row.removed_at, tuple((run, report) for run, report in json.loads(row.runs)))


def forget_removed(tx: sa.Connection) -> None:
    """Remember the newest of the removed incidents only."""
    table = tables.removed_incident
    newest = sa.select(table.c.id).order_by(table.c.removed_at.desc(), table.c.id).limit(REMEMBERED)
    tx.execute(sa.delete(table).where(table.c.id.not_in(newest.scalar_subquery())))


def _read(tx: sa.Connection, query: sa.Select[Any]) -> tuple[Past, ...]:
    ordered = query.order_by(tables.incident.c.closed_at, tables.incident.c.id)
    return tuple(Past(row.id, row.deployment, row.opened_at, row.closed_at) for row in tx.execute(ordered))


def _ended_by(moment: float) -> Sequence[sa.ColumnElement[bool]]:
    """Of an incident: it, its runs and what they asked had all ended by then (Unix seconds)."""
    table, run, asked = tables.incident, tables.run.alias(), tables.escalation.alias()
    own = sa.select(run.c.id).where(run.c.incident == table.c.id)
    later = sa.or_(run.c.state != runs.FINISHED, run.c.finished_at.is_(None), run.c.finished_at > moment)
    unanswered = sa.or_(asked.c.answered_at.is_(None), asked.c.answered_at > moment)
    by_incident = sa.select(asked.c.id).where(asked.c.incident == table.c.id, unanswered)
    by_run = sa.select(asked.c.id).join(run, asked.c.run == run.c.id).where(run.c.incident == table.c.id, unanswered)
    return (
        table.c.closed_at <= moment,
        ~own.where(later).correlate(table).exists(),
        # Two questions, each with its index: as one with "or" every incident would be asked about every escalation.
        ~by_incident.correlate(table).exists(),
        ~by_run.correlate(table).exists(),
    )


def _needed_by_none(now: Moment, claims: float) -> Sequence[sa.ColumnElement[bool]]:
    """Of an incident: no limit, hold, latch or live release would miss one of its runs."""
    table, run, live, other = tables.incident, tables.run.alias(), tables.release.alias(), tables.release.alias()
    own = sa.select(run.c.id).where(run.c.incident == table.c.id)
    held = sa.select(live.c.held_by_run).where(live.c.held_at.is_not(None), live.c.held_by_run.is_not(None))
    went_live_later = sa.select(other.c.id).where(
        other.c.deployment == live.c.deployment, other.c.live_since > live.c.live_since
    )
    is_live = (live.c.live_by_run.is_not(None), ~went_live_later.correlate(live).exists())
    named = sa.union_all(held, sa.select(live.c.live_by_run).where(*is_live)).subquery()
    latched = sa.select(tables.deployment.c.name).where(tables.deployment.c.latched_at.is_not(None))
    waits = sa.select(tables.approval.c.run).where(tables.approval.c.state == "pending")
    needed = sa.or_(is_within(run, now, claims), run.c.id.in_(sa.select(named)), run.c.id.in_(waits.scalar_subquery()))
    return (
        ~own.where(needed).correlate(table).exists(),
        table.c.deployment.not_in(latched.scalar_subquery()),
    )


def _newest() -> sa.Select[Any]:
    """The incidents of the ended runs that are shown as the newest of each deployment."""
    run = tables.run.alias()
    order = (run.c.finished_at.desc(), run.c.id)
    rank = sa.func.row_number().over(partition_by=run.c.deployment, order_by=order)
    ranked = sa.select(run.c.incident, rank.label("rank")).where(run.c.state == runs.FINISHED).subquery()
    return sa.select(ranked.c.incident).where(ranked.c.rank <= SHOWN)


def _remember(tx: sa.Connection, past: Past, now: float) -> None:
    table = tables.run
    query = sa.select(table.c.id, table.c.report).where(table.c.incident == past.id)
    newest = tx.execute(query.order_by(table.c.created_at.desc(), table.c.id).limit(NAMED)).all()
    row = {
        "id": past.id, "deployment": past.deployment, "opened_at": past.opened_at, "closed_at": past.closed_at,
        "removed_at": float(now), "runs": json.dumps([[run.id, run.report] for run in reversed(newest)]),
    }  # fmt: skip
    insert_new(tx, tables.removed_incident, row)
