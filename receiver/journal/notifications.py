"""The inbox's rows: stored before the answer, looked at until nothing is left to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.counts import bump
from receiver.journal.database import new_id


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """One notification that waits to be looked at; `alerts` are label sets with their status."""

    id: str
    received_at: float
    alerts: tuple[dict[str, object], ...]
    truncated: int
    attempts: int


def store(tx: sa.Connection, now: float, alerts: Sequence[dict[str, object]], truncated: int) -> str:
    """Keep a notification; once this transaction has committed, it will be looked at, whatever happens."""
    row = {
        "id": new_id() + new_id(),
        "received_at": now,
        "alerts": json.dumps(alerts),
        "truncated": truncated,
        "next_look_at": now,
        "attempts": 0,
    }
    tx.execute(sa.insert(tables.notification).values(row))
    bump(tx, "notifications", outcome="accepted")
    return str(row["id"])


def due(tx: sa.Connection, now: float, limit: int = 100) -> tuple[StoredNotification, ...]:
    """The oldest notifications whose time to be looked at has come."""
    table = tables.notification
    rows = tx.execute(sa.select(table).where(table.c.next_look_at <= now).order_by(table.c.received_at).limit(limit))
    return tuple(
        StoredNotification(row.id, row.received_at, tuple(json.loads(row.alerts)), row.truncated, row.attempts)
        for row in rows
    )


def look_again(tx: sa.Connection, notification: str, at: float) -> None:
    """Keep the notification open until `at` (Unix seconds)."""
    table = tables.notification
    values = {"next_look_at": at, "attempts": table.c.attempts + 1}
    tx.execute(sa.update(table).where(table.c.id == notification).values(values))


def conclude(tx: sa.Connection, notification: str) -> None:
    """Nothing is left to do with the notification."""
    table = tables.notification
    tx.execute(sa.update(table).where(table.c.id == notification).values(next_look_at=None))


def forget(tx: sa.Connection, before: float, limit: int) -> int:
    """Remove up to `limit` that came before then (Unix seconds) and were concluded; returns how many."""
    table = tables.notification
    old = sa.select(table.c.id).where(table.c.next_look_at.is_(None), table.c.received_at < before).limit(limit)
    return len(tx.execute(sa.delete(table).where(table.c.id.in_(old)).returning(table.c.id)).all())
