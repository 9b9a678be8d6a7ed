"""Makes every judgement of a journal again, from the facts that were kept."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import Database
from receiver.judgements import replay
from receiver.model import Judged


def replay_all(database: Database) -> dict[str, int]:
    """How many of each kind there are; each must give the answer that was kept, bit for bit."""
    found: dict[str, int] = {}
    with database.read() as tx:
        for row in tx.execute(sa.select(tables.judgement)):
            again = replay(Judged(row.kind, row.facts, row.answer))
            assert again == row.answer, f"{row.phase} of run {row.run} answers otherwise: {again}"
            found[row.kind] = found.get(row.kind, 0) + 1
    return found
