"""Incidents: opened by the first firing branch of a deployment, closed when nothing fires any more."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import deployments, escalations, releases, runs, seen, tables
from receiver.journal.database import new_id
from receiver.model import Action, Demand, Level, Result, Trigger

DEPLOY = "release_in_progress"
"""The guardrail that refuses while a pipeline deploys."""


def wake(
    tx: sa.Connection, deployment: str, now: float, *, deciding: Demand | None, notified_at: float | None = None
) -> str | None:
    """Make sure that what fires on `deployment` has its run; returns the new run's id, or None where one was there.

    One attempt an incident: once its run has ended, another begins only where it attempted nothing and another branch
    would decide now (`deciding`) and asks for a rollback or for a human, or where a person answered "retry".
    """
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment)
    if incident is None:
        incident = _open(tx, deployment, now)
    elif runs.wake(tx, incident, now) or not (
        _would_decide_anew(tx, incident, deciding) or _was_told_to_retry(tx, incident)
    ):
        return None
    return runs.create(tx, incident, deployment, now, Trigger.ALERT, notified_at=notified_at)


def request(tx: sa.Connection, deployment: str, now: float, level: Level, person: str) -> str | None:
    """Begin a run that a person asked for; returns its id, or None where one is under way."""
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment) or _open(tx, deployment, now)
    if runs.active(tx, incident):
        return None
    return runs.create(tx, incident, deployment, now, Trigger.OPERATOR, wanted_level=level, requested_by=person)


def retry(tx: sa.Connection, deployment: str, now: float) -> bool:
    """A person wants the agent to look again: begin a run of the open incident; returns whether one was begun."""
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment)
    if incident is None or runs.active(tx, incident):
        return False
    runs.create(tx, incident, deployment, now, Trigger.ALERT)
    return True


def resume(tx: sa.Connection, deployment: str, now: float, *, deciding: Demand | None) -> str | None:
    """Begin another run after one that only what passes has refused, once it has passed; its id, or None.

    That is a Watchdog that did not come and a deploy under way. At most one run each time it has passed: what refuses
    the next run came later. A person's answer goes before.
    """
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment)
    is_rollback = deciding is not None and deciding.action is Action.ROLLBACK
    if incident is None or not is_rollback or runs.active(tx, incident):
        return None
    table = tables.run
    ended = sa.select(table).where(table.c.incident == incident).order_by(table.c.created_at.desc())
    latest = tx.execute(ended).first()
    if latest is None or latest.result != Result.REFUSED or latest.claimed_at is not None:
        return None
    said_no = tx.execute(sa.select(tables.refusal).where(tables.refusal.c.run == latest.id)).all()
    if not said_no or escalations.was_answered(tx, latest.id):
        return None
    if not all(_has_passed(tx, deployment, now, one.guardrail, one.refused_at) for one in said_no):
        return None
    escalations.settle(tx, latest.id, now, "rollback-agent", escalations.RETRY)
    return runs.create(tx, incident, deployment, now, Trigger.ALERT)


def look_again(tx: sa.Connection, deployment: str, now: float) -> None:
    """What the agent may do has changed: wake the run under way, or begin another after one that only recorded."""
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment)
    if incident is None or runs.wake(tx, incident, now):
        return
    table = tables.run
    ended = sa.select(table.c.result).where(table.c.incident == incident).order_by(table.c.created_at.desc())
    if tx.execute(ended).scalar() == Result.RECORDED:
        runs.create(tx, incident, deployment, now, Trigger.ALERT)


def open_incident(tx: sa.Connection, deployment: str) -> str | None:
    """The id of the open incident of `deployment`."""
    table = tables.incident
    query = sa.select(table.c.id).where(table.c.deployment == deployment, table.c.closed_at.is_(None))
    return tx.execute(query).scalar()


def was_closed(tx: sa.Connection, deployment: str, since: float, now: float) -> bool:
    """Whether an incident of `deployment` was closed after `since`, and no other is open; Unix seconds."""
    if open_incident(tx, deployment) is not None:
        return False
    table = tables.incident
    # A clock that was set back would make it "since" for as long as it went back.
    closed = (table.c.deployment == deployment, table.c.closed_at > since, table.c.closed_at <= now)
    return tx.execute(sa.select(table.c.id).where(*closed)).first() is not None


def of_run(tx: sa.Connection, run: str) -> str:
    """The id of the incident that a run belongs to; raises sqlalchemy's NoResultFound where there is no such run."""
    return str(tx.execute(sa.select(tables.run.c.incident).where(tables.run.c.id == run)).scalar_one())


def close_quiet(tx: sa.Connection, deployment: str, now: float) -> str | None:
    """Nothing fires on `deployment`: close its incident unless a run is under way; returns the closed one's id."""
    deployments.lock(tx, deployment)
    incident = open_incident(tx, deployment)
    if incident is None or runs.active(tx, incident):
        return None
    close(tx, incident, now)
    return incident


def close(tx: sa.Connection, incident: str, now: float) -> None:
    """The incident is over: what fires from now on is another one."""
    table = tables.incident
    tx.execute(sa.update(table).where(table.c.id == incident, table.c.closed_at.is_(None)).values(closed_at=now))


def _open(tx: sa.Connection, deployment: str, now: float) -> str:
    incident = new_id()
    tx.execute(sa.insert(tables.incident).values(id=incident, deployment=deployment, opened_at=now))
    return incident


def _has_passed(tx: sa.Connection, deployment: str, now: float, guardrail: str, refused_at: float) -> bool:
    """Whether what the guardrail refused for is over without a person's doing."""
    if guardrail == seen.WATCHDOG:
        return (seen.last(tx, seen.WATCHDOG) or 0.0) > refused_at
    return guardrail == DEPLOY and not releases.deploys_under_way(tx, deployment, now)


def _would_decide_anew(tx: sa.Connection, incident: str, deciding: Demand | None) -> bool:
    """Whether what decides now asks for more than watching, and is not what the latest, idle run decided on."""
    if deciding is None or deciding.action is Action.WATCH:
        return False
    table = tables.run
    query = sa.select(table.c.id, table.c.result).where(table.c.incident == incident)
    latest = tx.execute(query.order_by(table.c.created_at.desc())).first()
    if latest is None or latest.result in (Result.NOT_NEEDED, Result.WITHDRAWN):
        return True
    decision = runs.findings_of(tx, latest.id).decision
    if decision is None or (
        decision.action is Action.ROLLBACK and latest.result not in (Result.RECORDED, Result.ASKED)
    ):
        return False  # it has told a human, and the next word is theirs
    return deciding != Demand(decision.branch, decision.action)


def _was_told_to_retry(tx: sa.Connection, incident: str) -> bool:
    """Whether a person's latest answer was "retry" and no run has begun since."""
    answers, started = tables.escalation, tables.run
    latest_answer = tx.execute(
        sa.select(answers.c.answered_at, answers.c.answer)
        .where(answers.c.incident == incident, answers.c.answered_at.is_not(None))
        .order_by(answers.c.answered_at.desc())
    ).first()
    if latest_answer is None or latest_answer.answer != "retry":
        return False
    latest_run = tx.execute(sa.select(sa.func.max(started.c.created_at)).where(started.c.incident == incident)).scalar()
    return latest_run is None or latest_run < latest_answer.answered_at
