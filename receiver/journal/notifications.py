"""The inbox's rows: stored before the answer, looked at until nothing is left to do."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.counts import bump
from receiver.journal.database import new_id

_STORE = sa.insert(tables.notification)
"""Made once: what the library knows of a statement, it keeps with it."""


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
    return store_all(tx, now, [(alerts, truncated)])[0]


def store_all(
    tx: sa.Connection, now: float, received: Sequence[tuple[Sequence[dict[str, object]], int]]
) -> tuple[str, ...]:
    """Keep notifications, each as its alerts and how many were left out of it; returns their ids in that order."""
    # Ids begin with the time: those of a transaction then stand on one page of the index, and each page is written.
    rows = [
        {
            "id": f"{round(now * 1000):012x}{new_id()}{new_id()}",
            "received_at": now,
            "alerts": json.dumps(alerts),
            "truncated": truncated,
            "next_look_at": now,
            "attempts": 0,
        }
        for alerts, truncated in received
    ]
    tx.execute(_STORE, rows)
    bump(tx, "notifications", len(rows), outcome="accepted")
    return tuple(str(row["id"]) for row in rows)


def due(tx: sa.Connection, now: float, limit: int = 100, most_text: int = 1 << 22) -> tuple[StoredNotification, ...]:
    """Those whose time to be looked at came first, up to `limit`, and no more once they hold `most_text` characters.

    By that time and not by their age, so that those which are looked at again wait behind those that are new.
    """
    table = tables.notification
    rows = tx.execute(
        sa.select(table)
        .where(table.c.next_look_at <= now)
        .order_by(table.c.next_look_at, table.c.received_at)
        .limit(limit)
    )
    found, text = [], 0
    for row in rows:
        found.append(
            StoredNotification(row.id, row.received_at, tuple(json.loads(row.alerts)), row.truncated, row.attempts)
        )
        text += len(row.alerts)
        if text >= most_text:
            break
    rows.close()
    return tuple(found)


def look_again(tx: sa.Connection, ids: Collection[str], at: float) -> None:
    """Keep the notifications open until `at` (Unix seconds)."""
    if not ids:
        return
    table = tables.notification
    values = {"next_look_at": at, "attempts": table.c.attempts + 1}
    tx.execute(sa.update(table).where(table.c.id.in_(ids)).values(values))


def conclude(tx: sa.Connection, ids: Collection[str]) -> None:
    """Nothing is left to do with the notifications."""
    if not ids:
        return
    table = tables.notification
    tx.execute(sa.update(table).where(table.c.id.in_(ids)).values(next_look_at=None))


def came_after(tx: sa.Connection, count: int) -> float | None:
    """When the one came that the newest `count` came after (Unix seconds, a moment later), or None: there are fewer."""
    table = tables.notification
    beyond = sa.select(table.c.received_at).order_by(table.c.received_at.desc()).offset(count).limit(1)
    at: float | None = tx.execute(beyond).scalar()
    return None if at is None else math.nextafter(at, math.inf)


def forgettable(tx: sa.Connection, before: float) -> list[str]:
    """The ids of those that came before then (Unix seconds) and were concluded."""
    return list(tx.execute(_old(before)).scalars())


def forget(tx: sa.Connection, before: float, limit: int) -> list[str]:
    """Remove up to `limit` that came before then (Unix seconds) and were concluded; returns their ids."""
    table = tables.notification
    old = _old(before).limit(limit)
    return list(tx.execute(sa.delete(table).where(table.c.id.in_(old)).returning(table.c.id)).scalars())


def _old(before: float) -> sa.Select[tuple[str]]:
    table = tables.notification
    return sa.select(table.c.id).where(table.c.next_look_at.is_(None), table.c.received_at < before)
