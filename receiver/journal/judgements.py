"""What each phase of a run has judged, and on which facts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.model import Judged, Run


@dataclass(frozen=True, slots=True)
class Kept:
    """What a phase judged, and when it was kept (Unix seconds)."""

    phase: str
    at: float
    judged: Judged


def keep(tx: sa.Connection, run: Run, phase: str, now: float, judged: Judged | None) -> None:
    """Keep what a phase judged, in the place of what it judged in an earlier life; nothing where it judged nothing."""
    if judged is None:
        return
    table = tables.judgement
    tx.execute(sa.delete(table).where(table.c.run == run.id, table.c.phase == phase))
    row = {"run": run.id, "phase": phase, "kind": judged.kind, "judged_at": float(now)}
    tx.execute(sa.insert(table).values(row | {"facts": judged.facts, "answer": judged.answer}))


def of_run(tx: sa.Connection, run: str) -> dict[str, Kept]:
    """What the phases of a run have judged, by phase, in their order."""
    table = tables.judgement
    query = sa.select(table).where(table.c.run == run).order_by(table.c.judged_at, table.c.phase)
    return {
        row.phase: Kept(row.phase, row.judged_at, Judged(row.kind, row.facts, row.answer)) for row in tx.execute(query)
    }
