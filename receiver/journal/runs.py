"""Runs as rows, claimed by lease with a fencing token, and their steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from receiver.errors import LostLease
from receiver.journal import tables
from receiver.journal.counts import bump
from receiver.journal.database import insert_new, new_id
from receiver.journal.moments import as_moment
from receiver.log import get_log
from receiver.model import Findings, Level, Proceed, Result, Run, Stop, Trigger

_FINDINGS = TypeAdapter(Findings)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a replica has begun that cannot be taken back, and when (Unix seconds)."""

    replica: str
    at: float


READY, WAITING, FINISHED = "ready", "waiting", "finished"


def create(
    tx: sa.Connection,
    incident: str,
    deployment: str,
    now: float,
    trigger: Trigger,
    *,
    notified_at: float | None = None,
    wanted_level: Level | None = None,
    requested_by: str | None = None,
) -> str:
    """Begin a run; it is ready at once. Times are Unix seconds."""
    run = new_id()
    row = {
        "id": run, "incident": incident, "deployment": deployment, "trigger": trigger, "created_at": now,
        "notified_at": notified_at, "wanted_level": wanted_level, "requested_by": requested_by,
        "state": READY, "phase": "evaluate", "wake_at": now, "token": 0, "lives": 0, "wakes": 0, "lease_until": 0.0,
    }  # fmt: skip
    tx.execute(sa.insert(tables.run).values(row))
    return run


def active(tx: sa.Connection, incident: str) -> bool:
    """Whether a run of the incident has not ended yet."""
    table = tables.run
    query = sa.select(table.c.id).where(table.c.incident == incident, table.c.state != FINISHED)
    return tx.execute(query).first() is not None


def of_open_incidents(tx: sa.Connection) -> frozenset[str]:
    """The runs, under way or ended, of every incident that is open."""
    table, incident = tables.run, tables.incident
    query = sa.select(table.c.id).join(incident, table.c.incident == incident.c.id)
    return frozenset(tx.execute(query.where(incident.c.closed_at.is_(None))).scalars())


def phase_under_way(tx: sa.Connection, deployment: str) -> str | None:
    """The phase of the deployment's run that has not ended yet."""
    table = tables.run
    under_way = (table.c.deployment == deployment, table.c.state != FINISHED)
    return tx.execute(sa.select(table.c.phase).where(*under_way)).scalar()


def claimed(tx: sa.Connection, deployment: str) -> str | None:
    """The run that has claimed a rollback of the deployment and has not ended yet."""
    table = tables.run
    under_way = (table.c.deployment == deployment, table.c.claimed_at.is_not(None), table.c.state != FINISHED)
    return tx.execute(sa.select(table.c.id).where(*under_way)).scalar()


def wake(tx: sa.Connection, incident: str, now: float) -> bool:
    """Let a waiting run of the incident look again now; returns whether there is a run that has not ended."""
    table = tables.run
    tx.execute(
        sa.update(table)
        .where(table.c.incident == incident, table.c.state != FINISHED)
        .values(wake_at=sa.case((table.c.state == WAITING, now), else_=table.c.wake_at), wakes=table.c.wakes + 1)
    )
    return active(tx, incident)


LONGEST_WAIT = 60.0
"""Seconds; no phase waits longer at a time, so a run that seems to was put off by a clock that has gone back since."""


def claim(tx: sa.Connection, owner: str, now: float, lease: float, *, takes_over: bool = True) -> Run | None:
    """Take the run that has been due longest, for `lease` seconds; None where nothing is due.

    Without `takes_over` none that another has not given back, however long its lease has ended.
    """
    table = tables.run
    mine = sa.true() if takes_over else sa.or_(table.c.lease_until == 0.0, table.c.owner == owner)
    due = (
        sa.select(table.c.id)
        .where(table.c.state != FINISHED, table.c.lease_until <= now, mine)
        .where(sa.or_(table.c.wake_at <= now, table.c.wake_at > now + LONGEST_WAIT))
        .order_by(table.c.wake_at)
        .limit(1)
    )
    if tx.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    row = tx.execute(
        sa.update(table)
        .where(table.c.id == due.scalar_subquery())
        .values(
            owner=owner,
            token=table.c.token + 1,
            lives=table.c.lives + 1,
            lease_until=now + lease,
            state=READY,
        )
        .returning(table)
    ).first()
    return None if row is None else _run(tx, row)


def renew(tx: sa.Connection, run: Run, until: float) -> None:
    """Keep the lease until `until`; raises LostLease where it is another's."""
    _fence(tx, run, lease_until=until)


def still_held(tx: sa.Connection, run: Run) -> None:
    """Raise LostLease where the run is another's by now."""
    _fence(tx, run)


def begin_effect(tx: sa.Connection, run: Run, replica: str, now: float) -> None:
    """What follows cannot be taken back, and only `replica` can find it again; raises LostLease."""
    _fence(tx, run, effect_by=replica, effect_at=float(now))


def effect_of(tx: sa.Connection, run: Run) -> Effect | None:
    """The effect of the run, once a replica has begun it."""
    table = tables.run
    row = tx.execute(sa.select(table.c.effect_by, table.c.effect_at).where(table.c.id == run.id)).one()
    return None if row.effect_by is None else Effect(row.effect_by, row.effect_at)


def spare(tx: sa.Connection, run: Run) -> None:
    """This life ended without ending its process, so it does not count."""
    _fence(tx, run, lives=tables.run.c.lives - 1)


def end_leases(tx: sa.Connection, owner: str) -> None:
    """Void the leases of `owner`, of which this is a new life; only where no other process of it can be at work."""
    table = tables.run
    tx.execute(sa.update(table).where(table.c.state != FINISHED, table.c.owner == owner).values(lease_until=0.0))


def begin_step(tx: sa.Connection, run: Run, name: str, position: int, now: float) -> bool:
    """Mark a step as started; returns False where an earlier life had already started it."""
    _fence(tx, run, phase=name)
    row = {"run": run.id, "name": name, "position": position, "state": "started", "started_at": now}
    return insert_new(tx, tables.step, row)


def finish_step(tx: sa.Connection, run: Run, name: str, now: float, outcome: Proceed | Stop) -> None:
    """Record a step's outcome and what it added to the findings; it will never run again.

    Whatever ended the process before was not this step, so earlier lives count no more.
    """
    _fence(tx, run, lives=1)
    summary = outcome.summary if isinstance(outcome, Proceed) else outcome.reason
    tx.execute(
        sa.update(tables.step)
        .where(tables.step.c.run == run.id, tables.step.c.name == name)
        .values(
            state="done",
            finished_at=now,
            outcome="proceed" if isinstance(outcome, Proceed) else "stop",
            summary=summary,
            output=_output(tx, run, name, outcome.findings),
        )
    )
    if isinstance(outcome, Stop):
        _fence(tx, run, result=outcome.result, reason=outcome.reason)


def done_steps(tx: sa.Connection, run: Run) -> frozenset[str]:
    """Names of the steps that will never run again."""
    table = tables.step
    query = sa.select(table.c.name).where(table.c.run == run.id, table.c.state == "done")
    return frozenset(tx.execute(query).scalars())


def result_of(tx: sa.Connection, run: Run) -> tuple[Result, str] | None:
    """How the run ended and why, or None while it goes on."""
    row = tx.execute(sa.select(tables.run.c.result, tables.run.c.reason).where(tables.run.c.id == run.id)).one()
    return None if row.result is None else (Result(row.result), row.reason)


def set_claimed(tx: sa.Connection, run: Run, now: float) -> None:
    """Count this run against the budget from now on."""
    moment = as_moment(now)
    _fence(tx, run, claimed_at=float(now), claimed_boot=moment.boot, claimed_uptime=moment.uptime)


def wait(
    tx: sa.Connection,
    run: Run,
    until: float,
    step: str | None = None,
    summary: str | None = None,
    findings: Findings | None = None,
) -> None:
    """Give the lease back; the run is due again at `until`, or when it is woken. `summary` says what `step` waits for.

    Woken since it was claimed, it is due at once: what woke it may have come after the phase had looked.
    What the step has found so far is in the run's findings when it is called again.
    """
    wake_at = sa.case((tables.run.c.wakes != run.wakes, 0.0), else_=until)
    _fence(tx, run, state=WAITING, wake_at=wake_at, lease_until=0.0, lives=0)
    table = tables.step
    update = sa.update(table).where(table.c.run == run.id, table.c.name == step).values(summary=summary)
    if step is not None and findings is not None:
        update = update.values(output=_output(tx, run, step, findings))
    tx.execute(update)


def finish(tx: sa.Connection, run: Run, now: float, result: Result, report: str | None) -> None:
    """The run has ended with `result` and was reported in the file `report`."""
    _fence(tx, run, state=FINISHED, finished_at=now, lease_until=0.0, report=report)
    level = run.findings.plan.level if run.findings.plan else "none"
    branch = run.findings.decision.branch if run.findings.decision else "none"
    bump(tx, "runs", deployment=run.deployment, level=level, result=result)
    bump(tx, "decisions", deployment=run.deployment, branch=branch, outcome=result)


def _fence(tx: sa.Connection, run: Run, **values: Any) -> None:
    """Write to the run's row only while it is still ours; raises LostLease otherwise."""
    table = tables.run
    mine = sa.update(table).where(table.c.id == run.id, table.c.token == run.token)
    if tx.execute(mine.values(**(values or {"token": run.token}))).rowcount != 1:
        raise LostLease(f"run {run.id} was taken over by another worker")


def _run(tx: sa.Connection, row: Any) -> Run:
    return Run(
        id=row.id,
        incident=row.incident,
        deployment=row.deployment,
        trigger=Trigger(row.trigger),
        wanted_level=None if row.wanted_level is None else Level(row.wanted_level),
        requested_by=row.requested_by,
        created_at=row.created_at,
        notified_at=row.notified_at,
        token=row.token,
        lives=row.lives,
        wakes=row.wakes,
        findings=findings_of(tx, row.id),
    )


def findings_of(tx: sa.Connection, run: str) -> Findings:
    """What the finished steps of a run have established, put together again; nothing, where that cannot be read.

    Then the run fails at its next step for want of it, and a human is told. Raised, it would keep all others waiting.
    """
    table = tables.step
    query = sa.select(table.c.output).where(table.c.run == run, table.c.output.is_not(None)).order_by(table.c.position)
    parts: dict[str, object] = {}
    try:
        for output in tx.execute(query).scalars():
            parts |= json.loads(output)
        return _FINDINGS.validate_json(json.dumps(parts))
    except (ValueError, TypeError) as error:
        get_log().error("what a run has found cannot be read", run=run, error=str(error))
        return Findings()


def _output(tx: sa.Connection, run: Run, step: str, after: Findings) -> str:
    """What a step has added to the findings, in this call or in an earlier one after which it waited."""
    table = tables.step
    kept = tx.execute(sa.select(table.c.output).where(table.c.run == run.id, table.c.name == step)).scalar()
    old, new = (_FINDINGS.dump_python(findings, mode="json") for findings in (run.findings, after))
    return json.dumps(json.loads(kept or "{}") | {name: value for name, value in new.items() if value != old[name]})
