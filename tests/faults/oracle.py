"""What must be true once everything that was accepted has come to its end, whatever has happened before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from receiver.audit_chain import verify
from receiver.audit_files import TrailFiles
from receiver.journal import runs, tables
from receiver.journal.database import Database
from receiver.model import Result

CALLS_NOBODY = frozenset((Result.RESTORED, Result.NOT_NEEDED, Result.RECORDED, Result.UPGRADED, Result.WITHDRAWN))
"""How a run may end without calling a human."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known from outside of the agent."""

    accepted: Mapping[str, int]
    """How often each deployment went wrong, and was accepted with 202; each time is one run."""
    effects: Counter[str]
    """How often the command was started for a run, as it has counted itself."""
    calls: frozenset[str]
    """The escalations that Alertmanager has."""
    budget: Mapping[str, float]
    """How many rollbacks are left to a deployment, of `limit`."""
    limit: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The figures of one trial, and each promise that was broken."""

    results: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    missing_calls: int = 0
    doubled_calls: int = 0
    broken: tuple[str, ...] = ()


def is_at_rest(database: Database) -> bool:
    """Whether nothing is left to do: no notification, no run, and nobody who is still to be called."""
    table = tables.escalation
    with database.read() as tx:
        waits = (
            sa.select(tables.notification.c.id).where(tables.notification.c.next_look_at.is_not(None)),
            sa.select(tables.run.c.id).where(tables.run.c.state != runs.FINISHED),
            sa.select(table.c.id).where(table.c.answered_at.is_(None), table.c.raised_at.is_(None)),
        )
        return all(tx.execute(query).first() is None for query in waits)


def judge(database: Database, trail: TrailFiles, seen: Seen) -> Judgement:
    """Hold the journal and the trail against what was seen from outside."""
    with database.read() as tx:
        ended = [row._mapping for row in tx.execute(sa.select(tables.run))]
        opened = [row._mapping for row in tx.execute(sa.select(tables.escalation))]
        given_up = frozenset(tx.execute(_GIVEN_UP).scalars())
    waiting = [one for one in opened if one["answered_at"] is None]
    called = Counter(one["run"] for one in waiting)
    needed = {run["id"] for run in ended if run["result"] not in CALLS_NOBODY}
    # What is told once more after all was well again, since its answer was lost, may be looked at; it does nothing.
    begun = Counter(run["deployment"] for run in ended if run["result"] != Result.NOT_NEEDED)
    lost = {name: times - begun[name] for name, times in seen.accepted.items() if times > begun[name]}
    twice = {run: times for run, times in seen.effects.items() if times > 1}
    missing, doubled = needed - called.keys(), {run for run, times in called.items() if times > 1}
    broken = [
        *(f"{times} accepted alerts of {name} have no run" for name, times in lost.items()),
        *(f"the command of run {run} was started {times} times" for run, times in twice.items()),
        *(f"nobody is called for run {run}" for run in missing),
        *(f"several calls are open for run {run}" for run in doubled),
        *_unfinished(ended, given_up),
        *_unaccounted(ended, seen),
        *_uncalled(waiting, seen),
    ]
    if begun.total() > sum(seen.accepted.values()):
        broken.append(f"{begun.total()} runs for {sum(seen.accepted.values())} accepted alerts")
    fault = verify(trail)[1] if ended else None  # before the first record there is no trail
    if fault is not None:
        broken.append(f"the audit trail does not hold: {fault}")
    return Judgement(
        results=Counter(str(run["result"]) for run in ended),
        accepted=sum(seen.accepted.values()),
        lost=sum(lost.values()),
        doubled=len(twice),
        missing_calls=len(missing),
        doubled_calls=len(doubled),
        broken=tuple(broken),
    )


_NO_REPORT = "no report: the agent stopped % times over it"
_GIVEN_UP = sa.select(tables.step.c.run).where(tables.step.c.summary.like(_NO_REPORT))
"""Runs over whose report the agent was killed so often that it was left out."""


def _unfinished(ended: list[Any], given_up: frozenset[str]) -> Iterator[str]:
    for run in ended:
        if run["state"] != runs.FINISHED or run["result"] is None:
            yield f"run {run['id']} has no end"
        elif run["id"] not in given_up and not (run["report"] and Path(run["report"]).is_file()):
            yield f"run {run['id']} has no report"


def _unaccounted(ended: list[Any], seen: Seen) -> Iterator[str]:
    claims = Counter(run["deployment"] for run in ended if run["claimed_at"] is not None)
    claimed = {run["id"] for run in ended if run["claimed_at"] is not None}
    for run in seen.effects.keys() - claimed:
        yield f"the command of run {run} was started, and nothing was claimed for it"
    for deployment, left in seen.budget.items():
        if seen.limit - left != claims[deployment]:
            yield f"{deployment} has spent {seen.limit - left:g} of its budget, for {claims[deployment]} claims"


def _uncalled(waiting: list[Any], seen: Seen) -> Iterator[str]:
    for one in waiting:
        if one["run"] is None:
            yield f"a human is asked about no run: {one['summary']}"
        if one["id"] not in seen.calls:
            yield f"Alertmanager knows nothing of escalation {one['id']} of run {one['run']}"
