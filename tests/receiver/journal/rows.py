"""Rows to begin a test with, what a journal holds, and many callers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from receiver.journal import incidents, runs, tables
from receiver.journal.counts import read_all
from receiver.journal.database import Database
from receiver.model import (
    Action,
    Backup,
    Decision,
    Demand,
    Execution,
    Findings,
    Level,
    Permission,
    Plan,
    Refusal,
    Run,
    Signal,
    Verdict,
    Verification,
)

T = TypeVar("T")
NOW = 1_780_000_000.0
LEASE = 15.0

SERVICE_DOWN = Demand("service_down", Action.ROLLBACK)
SIGNALS = (
    Signal("deployment:availability:ratio", None, 0.25, NOW - 1),
    Signal("service:http_request_errors:ratio_rate5m", "flask", None, NOW - 2),
)
DECISION = Decision(
    branch="service_down",
    alert="ServiceDown",
    action=Action.ROLLBACK,
    level=Level.FAST,
    confidence=0.99,
    reason='ServiceDown fires on "flask" \u2713',
    also_firing=("high_error_rate",),
    signals=SIGNALS,
)
PLAN = Plan(
    deployment="qrl",
    level=Level.FAST,
    live_release="r2",
    live_commit="b" * 40,
    target_release="r1",
    target_commit="c" * 40,
    command=("/bin/true", "--", "r1"),
    timeout=300.0,
)
FINDINGS = Findings(
    decision=DECISION,
    plan=PLAN,
    refusals=(Refusal("cooldown", "too soon", NOW + 60), Refusal("latched", "a person must clear it")),
    permission=Permission("ada", "looks right", NOW + 1),
    claimed_at=NOW + 2,
    backup=Backup("/backups/state-1", 3, 12345),
    execution=Execution(NOW + 3, NOW + 4, None, "/logs/rollback-1.log"),
    verification=Verification(Verdict.INCONCLUSIVE, "no data", NOW + 5, SIGNALS),
)


def begin(database: Database, deployment: str = "qrl", now: float = NOW) -> str:
    """Wake a deployment that fires; the id of its new run."""
    with database.write() as tx:
        run = incidents.wake(tx, deployment, now, deciding=SERVICE_DOWN, notified_at=now)
    assert run is not None
    return run


def claim(database: Database, now: float = NOW, owner: str = "one") -> Run | None:
    """Claim the run that is due, for LEASE seconds."""
    with database.write() as tx:
        return runs.claim(tx, owner, now, LEASE)


def claimed(database: Database, deployment: str = "qrl") -> Run:
    """A new run, claimed."""
    begin(database, deployment)
    run = claim(database)
    assert run is not None
    return run


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.execute(sa.select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


def counted(database: Database, name: str) -> list[tuple[dict[str, str], int]]:
    """The label sets and values of a counter."""
    with database.read() as tx:
        return [(labels, value) for found, labels, value in read_all(tx) if found == name]


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """What `work(0)`, `work(1)`, ... return when `count` threads begin them in the same moment."""
    gate = threading.Barrier(count)

    def one(number: int) -> T:
        gate.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
