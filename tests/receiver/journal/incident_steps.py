"""What tests do to an incident: wake it, end its run, answer, refuse."""

from __future__ import annotations

from dataclasses import replace

from receiver.journal import escalations, incidents, refusals, runs, seen
from receiver.journal.database import Database
from receiver.model import Action, Decision, Demand, EscalationReason, Findings, Level, Refusal, Result, Run, Stop
from tests.receiver.journal.rows import DECISION, NOW, SERVICE_DOWN, claimed

CALLERS = 50
ANOTHER = Demand("another", Action.ROLLBACK)


def wake(database: Database, now: float, deciding: Demand = ANOTHER) -> str | None:
    """Prometheus shows a branch; it is one that no run has seen, and it asks for a rollback, unless told otherwise."""
    with database.write() as tx:
        return incidents.wake(tx, "qrl", now, deciding=deciding, notified_at=now)


def decided(action: Action) -> Decision:
    """A decision that rolls nothing back."""
    return replace(DECISION, action=action, level=None, confidence=None)


def request(database: Database) -> str | None:
    with database.write() as tx:
        return incidents.request(tx, "qrl", NOW, Level.FAST, "ada")


def close_quiet(database: Database, now: float) -> str | None:
    with database.write() as tx:
        return incidents.close_quiet(tx, "qrl", now)


def end_run(database: Database, decision: Decision = DECISION, result: Result = Result.FAILED) -> str:
    """A run that has ended; the id of its incident."""
    run = claimed(database)
    with database.write() as tx:
        runs.begin_step(tx, run, "evaluate", 0, NOW)
        runs.finish_step(tx, run, "evaluate", NOW, Stop(result, "as asked", Findings(decision=decision)))
        runs.finish(tx, run, NOW, result, None)
    return run.incident


def answer(database: Database, incident: str, word: str, now: float) -> None:
    """A person answers a new escalation of the incident."""
    with database.write() as tx:
        escalations.open_one(tx, "qrl", EscalationReason.ROLLBACK_FAILED, f"at {now}", now, incident=incident)
        found = escalations.find(tx, incident=incident, only_open=True)
        assert escalations.answer(tx, found[-1].id, now, "ada", word, "")


def refuse(database: Database, *guardrails: str, at: float, run: Run | None = None) -> str:
    """A run, a new one unless given, that guardrails have refused; the id of its incident."""
    run = run or claimed(database)
    with database.write() as tx:
        refusals.record(tx, run, "guard", tuple(Refusal(name, "no") for name in guardrails), at)
        escalations.open_one(
            tx, "qrl", EscalationReason.SAFETY_CHECK_FAILED, "refused", at, incident=run.incident, run=run.id
        )
        runs.begin_step(tx, run, "guard", 1, at)
        runs.finish_step(tx, run, "guard", at, Stop(Result.REFUSED, "no", Findings(decision=DECISION)))
        runs.finish(tx, run, at, Result.REFUSED, None)
    return run.incident


def see_watchdog(database: Database, at: float) -> None:
    with database.write() as tx:
        seen.mark(tx, seen.WATCHDOG, at)


def resume(database: Database, now: float, deciding: Demand | None = SERVICE_DOWN) -> str | None:
    with database.write() as tx:
        return incidents.resume(tx, "qrl", now, deciding=deciding)
