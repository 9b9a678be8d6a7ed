"""May this release be deployed? Not one that is held, under whatever name, and none into the middle of a rollback."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from receiver.durations import clock_time
from receiver.journal import runs, tables

SHORTEST_COMMIT = 7
"""Characters of a commit that tell it from others, as git abbreviates it."""


def obstacles(tx: sa.Connection, deployment: str, release: str, commit: str | None = None) -> tuple[str, ...]:
    """Why `release`, built from `commit` where that is told, may not be deployed now; nothing: it may."""
    table = tables.release
    held = sa.select(table).where(table.c.deployment == deployment, table.c.held_at.is_not(None))
    found = [_why_held(row, commit) for row in tx.execute(held) if row.id == release or _is_built_from(row, commit)]
    under_way = runs.claimed(tx, deployment)
    if under_way is not None:
        found.append(f"a rollback of {deployment} is under way (run {under_way})")
    return tuple(found)


def _is_built_from(row: Any, commit: str | None) -> bool:
    """Whether it is the same under another name; the shorter of two spellings of a commit is enough."""
    if commit is None or len(commit) < SHORTEST_COMMIT:
        return False
    commits = (one for one in (row.commit, row.reported_commit) if one and len(one) >= SHORTEST_COMMIT)
    return any(one.startswith(commit) or commit.startswith(one) for one in commits)


def _why_held(row: Any, commit: str | None) -> str:
    same = f", which is of the same commit {commit}," if _is_built_from(row, commit) else ""
    return f"{row.id}{same} has been held since {clock_time(row.held_at)} (by {row.held_by_run})"
