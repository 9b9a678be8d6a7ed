"""A run's steps are begun once, ended once, and hand on what they have found."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from receiver.journal import runs, tables
from receiver.journal.database import Database
from receiver.model import EscalationReason, Findings, Proceed, Result, Stop
from tests.receiver.journal.rows import DECISION, FINDINGS, LEASE, NOW, PLAN, claim, claimed, counted

STOP = Stop(Result.FAILED, "it failed", Findings(), EscalationReason.ROLLBACK_FAILED)


def test_findings_survive_the_journal(database: Database) -> None:
    """What the phases have found comes back equal, each phase's part from its own step."""
    run = claimed(database)
    parts = (
        Findings(decision=DECISION, plan=PLAN, refusals=FINDINGS.refusals[:1]),
        replace(FINDINGS, execution=None, verification=None),
        FINDINGS,
    )
    for position, (name, findings) in enumerate(zip(("evaluate", "claim", "execute"), parts, strict=True)):
        with database.write() as tx:
            runs.begin_step(tx, run, name, position, NOW)
            runs.finish_step(tx, run, name, NOW, Proceed(findings, "done"))
        run = replace(run, findings=findings)

    again = claim(database, NOW + LEASE)

    assert again is not None
    assert again.findings == FINDINGS
    assert again.findings.require_plan().hash == PLAN.hash


def test_a_step_begins_once_and_ends_once(database: Database) -> None:
    """A second begin of a step says that it is none, and only a finished step counts as done."""
    run = claimed(database)
    with database.write() as tx:
        assert runs.begin_step(tx, run, "guard", 1, NOW)
        assert not runs.begin_step(tx, run, "guard", 1, NOW + 1)
        assert runs.done_steps(tx, run) == frozenset()
        runs.finish_step(tx, run, "guard", NOW + 2, Proceed(run.findings, "no guardrail refuses"))
        assert runs.done_steps(tx, run) == {"guard"}
        assert runs.result_of(tx, run) is None


def test_a_step_is_done_by_its_own_run(database: Database) -> None:
    """What one run has done is not done for another, nor is what it has found."""
    run, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        for one in (run, other):
            runs.begin_step(tx, one, "guard", 1, NOW)
        runs.finish_step(tx, run, "guard", NOW, Proceed(Findings(decision=DECISION), "no guardrail refuses"))

        assert (runs.done_steps(tx, run), runs.done_steps(tx, other)) == ({"guard"}, frozenset())
        assert runs.findings_of(tx, other.id) == Findings()


def test_what_a_waiting_step_has_found_is_kept(database: Database) -> None:
    """It is there when the step is called again, also what it found before an earlier wait, and in no other step."""
    run, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        runs.begin_step(tx, other, "verify", 7, NOW)
        runs.begin_step(tx, run, "evaluate", 0, NOW)
        runs.finish_step(tx, run, "evaluate", NOW, Proceed(Findings(decision=DECISION), "rollback"))
        runs.begin_step(tx, run, "verify", 7, NOW)
        assert runs.phase_under_way(tx, "qrl") == "verify"
    found = Findings(decision=DECISION)
    for part in ({"plan": PLAN}, {"claimed_at": NOW + 1}):
        again = replace(run, findings=found)
        found = replace(found, **part)
        with database.write() as tx:
            runs.wait(tx, again, NOW, "verify", "no new sample yet", found)

        with database.read() as tx:
            assert runs.findings_of(tx, run.id) == found
            assert runs.findings_of(tx, other.id) == Findings()
            assert runs.done_steps(tx, run) == {"evaluate"}
    with database.write() as tx:
        runs.finish_step(tx, replace(run, findings=found), "verify", NOW, Proceed(found, "done"))
        assert runs.findings_of(tx, run.id) == found


def test_a_step_that_has_ended_says_when_and_how(database: Database) -> None:
    """When it ended, whether the run went on or stopped there, and why; one that has not ended says nothing yet."""
    run = claimed(database)
    with database.write() as tx:
        for position, name in enumerate(("evaluate", "guard", "approve")):
            runs.begin_step(tx, run, name, position, NOW + position)
        runs.finish_step(tx, run, "evaluate", NOW + 8, Proceed(Findings(decision=DECISION), "rollback"))
        runs.finish_step(tx, run, "guard", NOW + 9, STOP)
        columns = ("name", "state", "started_at", "finished_at", "outcome", "summary")
        query = sa.select(*(tables.step.c[column] for column in columns)).order_by(tables.step.c.position)

        assert [tuple(row) for row in tx.execute(query)] == [
            ("evaluate", "done", NOW, NOW + 8, "proceed", "rollback"),
            ("guard", "done", NOW + 1, NOW + 9, "stop", "it failed"),
            ("approve", "started", NOW + 2, None, None, None),
        ]


def test_a_stop_gives_the_run_its_result(database: Database) -> None:
    """After a stop the result and its reason are known to whoever takes the run up to report it."""
    run = claimed(database)
    with database.write() as tx:
        runs.begin_step(tx, run, "guard", 1, NOW)
        runs.finish_step(tx, run, "guard", NOW, STOP)
        assert runs.result_of(tx, run) == (Result.FAILED, "it failed")


def test_an_ended_run_is_counted_with_its_branch_level_and_result(database: Database) -> None:
    """The end of a run is counted once by level and once by branch, in the transaction that ends it."""
    run = replace(claimed(database), findings=Findings(decision=DECISION, plan=PLAN))
    with database.write() as tx:
        runs.finish(tx, run, NOW, Result.RESTORED, "report.md")
    nothing = claimed(database, "other")
    with database.write() as tx:
        runs.finish(tx, nothing, NOW, Result.NOT_NEEDED, None)

    assert sorted(counted(database, "runs"), key=str) == [
        ({"deployment": "other", "level": "none", "result": "not_needed"}, 1),
        ({"deployment": "qrl", "level": "fast", "result": "restored"}, 1),
    ]
    assert sorted(counted(database, "decisions"), key=str) == [
        ({"branch": "none", "deployment": "other", "outcome": "not_needed"}, 1),
        ({"branch": "service_down", "deployment": "qrl", "outcome": "restored"}, 1),
    ]
