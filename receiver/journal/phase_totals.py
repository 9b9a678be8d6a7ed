"""How long phases took, in the runs that are there and in those that were removed: one histogram that never shrinks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert

BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""Upper bounds, in seconds."""


@dataclass(frozen=True, slots=True)
class PhaseTotal:
    """All finished steps of one name: how many, how long together, and how many took at most `bound` seconds."""

    count: int
    microseconds: int
    """Whole ones: a sum of fractions depends on their order, and one that is less by the last digit is a reset."""
    within: dict[float, int]

    def __add__(self, other: PhaseTotal) -> PhaseTotal:
        bounds = sorted({*self.within, *other.within})
        return PhaseTotal(
            self.count + other.count,
            self.microseconds + other.microseconds,
            {bound: self.at_most(bound) + other.at_most(bound) for bound in bounds},
        )

    def at_most(self, bound: float) -> int:
        """How many took at most `bound` seconds, as far as is known: another version may have had other bounds."""
        return self.within[max(known)] if (known := [one for one in self.within if one <= bound]) else 0


NONE = PhaseTotal(0, 0, {})


def totals(tx: sa.Connection) -> dict[str, PhaseTotal]:
    """Of every phase that ever ended, by its name."""
    found = _of_removed(tx)
    for phase, there in _of_steps(tx).items():
        found[phase] = found.get(phase, NONE) + there
    return found


def carry_over(tx: sa.Connection, runs: Sequence[str]) -> None:
    """Keep what the steps of these runs count, in the transaction that removes them, by whoever is alone at it."""
    removed = _of_removed(tx)
    for phase, going in _of_steps(tx, tables.step.c.run.in_(runs)).items():
        total = removed.get(phase, NONE) + going
        row = {
            "phase": phase, "count": total.count, "microseconds": total.microseconds,
            "within": json.dumps(total.within),
        }  # fmt: skip
        statement = insert(tx, tables.phase_total).values(row)
        tx.execute(statement.on_conflict_do_update(index_elements=["phase"], set_=row))


def _of_steps(tx: sa.Connection, *which: sa.ColumnElement[bool]) -> dict[str, PhaseTotal]:
    table = tables.step
    took = table.c.finished_at - table.c.started_at
    microseconds = sa.cast(sa.func.round(took * 1e6), sa.BigInteger)
    within = [sa.func.sum(sa.case((took <= bound, 1), else_=0)) for bound in BUCKETS]
    query = sa.select(table.c.name, sa.func.count(), sa.func.sum(microseconds), *within)
    finished = query.where(table.c.finished_at.is_not(None), *which).group_by(table.c.name)
    return {
        name: PhaseTotal(int(count), int(total), dict(zip(BUCKETS, map(int, counts), strict=True)))
        for name, count, total, *counts in tx.execute(finished)
    }


def _of_removed(tx: sa.Connection) -> dict[str, PhaseTotal]:
    table = tables.phase_total
    rows = tx.execute(sa.select(table.c.phase, table.c.count, table.c.microseconds, table.c.within))
    return {
        phase: PhaseTotal(count, microseconds, {float(at): n for at, n in json.loads(within).items()})
        for phase, count, microseconds, within in rows
    }
