"""Refusals: each guardrail's "no", kept with the phase in which it was given."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.counts import bump
from receiver.journal.database import insert_new
from receiver.model import Refusal, Run


def record(tx: sa.Connection, run: Run, phase: str, refusals: tuple[Refusal, ...], now: float) -> None:
    """Keep and count what refused a run in a phase; a repeated phase counts once."""
    for refusal in refusals:
        row = {
            "run": run.id, "phase": phase, "guardrail": refusal.guardrail, "deployment": run.deployment,
            "reason": refusal.reason, "retry_at": refusal.retry_at, "refused_at": now,
        }  # fmt: skip
        if insert_new(tx, tables.refusal, row):
            bump(tx, "refusals", deployment=run.deployment, guardrail=refusal.guardrail)
