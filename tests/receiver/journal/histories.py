"""Incidents that were over long ago, written into a journal as rows, with all that belongs to one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import Database, new_id

DAY = 86400.0
PHASES = ("evaluate", "guard", "approve", "claim", "execute")


@dataclass(frozen=True)
class Told:
    """One incident to be written: ages are days before now, `steps` seconds that each took."""

    days: float = 500.0
    deployment: str = "qrl"
    runs: int = 1
    steps: tuple[float, ...] = (0.02, 7.5)
    closed: bool = True
    run: dict[str, Any] = field(default_factory=dict)
    """Columns of its last run that are not as usual."""


def write(database: Database, told: Told = Told()) -> str:
    """Write it, each run with two steps, a refusal, an approval with a vote, and an answered escalation; its id."""
    incident = new_id()
    with database.write() as tx:
        at = database.now(tx) - told.days * DAY
        row = {
            "id": incident,
            "deployment": told.deployment,
            "opened_at": at - 60,
            "closed_at": at if told.closed else None,
        }
        tx.execute(sa.insert(tables.incident).values(row))
        for number in range(told.runs):
            _write_run(tx, incident, told, at - 50 + number, told.run if number == told.runs - 1 else {})
    return incident


def _write_run(tx: sa.Connection, incident: str, told: Told, at: float, different: dict[str, Any]) -> None:
    run = new_id()
    row = {
        "id": run, "incident": incident, "deployment": told.deployment, "trigger": "alert", "created_at": at,
        "state": "finished", "phase": "report", "result": "restored", "reason": "well", "finished_at": at + 1,
        "report": f"/logs/incident-{run}.md", "wake_at": at,
    }  # fmt: skip
    tx.execute(sa.insert(tables.run).values(row | different))
    run = (row | different)["id"]
    for position, took in enumerate(told.steps):
        step = {"run": run, "name": PHASES[position], "position": position, "state": "done", "started_at": at}
        tx.execute(sa.insert(tables.step).values(step | {"finished_at": at + took, "output": "{}"}))
    begun = {"run": run, "name": "verify", "position": 9, "state": "started", "started_at": at}
    tx.execute(sa.insert(tables.step).values(begun))
    no = {"run": run, "phase": "guard", "guardrail": "cooldown", "deployment": told.deployment, "reason": "no"}
    tx.execute(sa.insert(tables.refusal).values(no | {"refused_at": at}))
    asked = {"id": run, "run": run, "plan": json.dumps({}), "plan_hash": "0" * 64, "state": "approved"}
    tx.execute(sa.insert(tables.approval).values(asked | {"opened_at": at, "expires_at": at + 900}))
    yes = {"approval": run, "person": "ada", "voted_at": at, "via": "page"}
    tx.execute(sa.insert(tables.vote).values(yes))
    escalate(tx, told.deployment, at, incident=incident, run=run)


def escalate(tx: sa.Connection, deployment: str, at: float, answered: bool = True, **of: str) -> None:
    """An escalation of then."""
    row = {
        "id": new_id(), "deployment": deployment, "reason": "rollback_failed", "summary": "look", "opened_at": at,
        "answered_at": at if answered else None, "answered_by": "ada" if answered else None,
    }  # fmt: skip
    tx.execute(sa.insert(tables.escalation).values(row | of))


def fill(database: Database, deployment: str = "qrl", count: int = 10) -> list[str]:
    """The newest runs, which stay because they are shown; so many incidents, of yesterday."""
    return [write(database, Told(days=1 + number / 100, deployment=deployment)) for number in range(count)]


def incidents_in(database: Database) -> set[str]:
    """The ids of those that the journal has."""
    with database.read() as tx:
        return set(tx.execute(sa.select(tables.incident.c.id)).scalars())


def rows_in(database: Database) -> dict[str, int]:
    """How many rows each table that belongs to incidents has."""
    names = ("incident", "run", "step", "refusal", "approval", "vote", "escalation")
    with database.read() as tx:
        return {
            name: tx.execute(sa.select(sa.func.count()).select_from(tables.metadata.tables[name])).scalar_one()
            for name in names
        }


def remembered(database: Database, *reports: str | None) -> str:
    """The id of an incident of which only that is left, with a run for each report."""
    runs = json.dumps([[f"run{number}", report] for number, report in enumerate(reports)])
    row = {"id": "0ld", "deployment": "qrl", "opened_at": 1.7e9, "closed_at": 1.7e9 + 60, "removed_at": 1.8e9}
    with database.write() as tx:
        tx.execute(sa.insert(tables.removed_incident).values(row | {"runs": runs}))
    return "0ld"
