"""What people and programs are shown of an incident is complete, plain JSON, and in order."""

from __future__ import annotations

import json
from dataclasses import replace

from receiver.journal import approvals, escalations, hotfixes, incidents, refusals, runs, views
from receiver.journal.database import Database
from receiver.journal.hotfixes import HotfixState
from receiver.model import EscalationReason, Findings, Proceed, Result, Stop
from receiver.redact import REDACTED
from tests.receiver.journal.rows import DECISION, FINDINGS, NOW, PLAN, begin, claimed


def test_an_incident_shows_everything_of_its_run(database: Database) -> None:
    """A full run comes out as JSON with its decision, plan and hash, times, steps, approval, refusals, escalation."""
    incident = full_run(database)

    with database.read() as tx:
        view = views.incident(tx, incident)
    assert view is not None
    view = json.loads(json.dumps(view, allow_nan=False))

    (run,) = view["runs"]
    assert (view["state"], view["deployment"]) == ("open", "qrl")
    assert (run["state"], run["result"], run["reason"], run["report"]) == ("finished", "failed", "no", "report.md")
    assert (run["command_started_at"], run["command_finished_at"]) == (NOW + 3, NOW + 4)
    assert (run["plan"]["hash"], run["plan"]["command"]) == (PLAN.hash, list(PLAN.command))
    assert (run["decision"]["branch"], run["verification"]["verdict"]) == ("service_down", "inconclusive")
    assert (run["permission"]["by"], run["backup"]["files"]) == ("ada", 3)
    assert [step["name"] for step in run["steps"]] == ["evaluate", "verify"]
    assert run["approval"]["state"] == "pending"
    assert run["refusals"] == [{"guardrail": "cooldown", "reason": "too soon", "retry_at": NOW + 60}]
    assert [(one["reason"], one["state"]) for one in view["escalations"]] == [("rollback_failed", "open")]


def test_no_secret_of_what_was_found_is_shown(database: Database) -> None:
    """The journal keeps the plan as it is executed; whoever looks at it sees its command without the secret."""
    run = claimed(database)
    secretive = replace(PLAN, command=("/bin/restart", "--token", "hunter2"))
    decision = replace(DECISION, reason="down: http://ada:hunter2@db/")
    with database.write() as tx:
        runs.begin_step(tx, run, "evaluate", 0, NOW)
        runs.finish_step(tx, run, "evaluate", NOW, Proceed(replace(FINDINGS, plan=secretive, decision=decision), "x"))
        [incident] = views.incidents(tx)
    [shown] = incident["runs"]
    assert shown["plan"]["command"] == ["/bin/restart", "--token", REDACTED]
    assert shown["plan"]["hash"] == secretive.hash
    assert shown["decision"]["reason"] == f"down: http://{REDACTED}@db/"


def test_a_run_that_has_found_nothing_yet_shows_none(database: Database) -> None:
    """What is not known yet is null, never missing."""
    begin(database)

    with database.read() as tx:
        (view,) = views.incidents(tx)

    (run,) = json.loads(json.dumps(view))["runs"]
    empty = {name for name, value in run.items() if value is None}
    assert empty >= {"decision", "plan", "execution", "verification", "approval", "result", "report"}
    assert (run["state"], run["phase"], run["steps"], run["refusals"]) == ("ready", "evaluate", [], [])


def test_an_incident_shows_the_hotfixes_of_its_time(database: Database) -> None:
    """Those of its deployment that were under way at some time between its beginning and its end are shown."""
    with database.write() as tx:
        for deployment, began, ended in (("qrl", -90, -80), ("qrl", -70, 5), ("shop", 1, 2), ("qrl", 10, 11)):
            hotfixes.start(tx, deployment, NOW + began, 60, f"{deployment} {began}", "")
            hotfixes.end(tx, deployment, NOW + ended, HotfixState.DONE, "ada")
        hotfixes.start(tx, "qrl", NOW + 60, 60, "later", "")
    begin(database)
    with database.read() as tx:
        (still_open,) = views.incidents(tx)
    with database.write() as tx:
        incidents.close(tx, still_open["id"], NOW + 50)
        closed = views.incident(tx, still_open["id"])
    assert closed is not None

    shown = [[one["started_by"] for one in json.loads(json.dumps(view))["hotfixes"]] for view in (closed, still_open)]
    assert shown == [["qrl -70", "qrl 10"], ["qrl -70", "qrl 10", "later"]]


def test_incidents_come_newest_first_and_by_deployment(database: Database) -> None:
    """The newest incidents are shown, as many as asked for, of all deployments or of one."""
    for number, deployment in enumerate(("a", "b", "c")):
        begin(database, deployment, NOW + number)

    with database.read() as tx:
        assert [one["deployment"] for one in views.incidents(tx)] == ["c", "b", "a"]
        assert [one["deployment"] for one in views.incidents(tx, limit=2)] == ["c", "b"]
        assert [one["deployment"] for one in views.incidents(tx, deployment="a")] == ["a"]


def test_there_is_no_view_of_what_does_not_exist(database: Database) -> None:
    """An unknown id gives None, whatever it holds."""
    with database.read() as tx:
        assert [views.incident(tx, name) for name in ("", "x' or 1=1 --", "%")] == [None, None, None]


def test_plans_that_wait_for_a_person_are_shown(database: Database) -> None:
    """A pending plan is listed with what a person needs to confirm it; a decided one is not."""
    run, other = claimed(database, "qrl"), claimed(database, "shop")
    with database.write() as tx:
        approvals.ask(tx, run, PLAN, NOW, NOW + 900)
        decided = approvals.ask(tx, other, PLAN, NOW, NOW + 900)
        approvals.deny(tx, decided, NOW + 1, "ada", "")
        (found,) = json.loads(json.dumps(views.pending_approvals(tx, NOW + 2)))
        assert views.pending_approvals(tx, NOW + 900) == [], "what has expired can no longer be confirmed"

    assert (found["deployment"], found["incident"]) == ("qrl", run.incident)
    assert (found["plan_hash"], found["expires_at"]) == (PLAN.hash, NOW + 900)
    assert found["plan"]["target_release"] == PLAN.target_release


def test_open_escalations_are_shown_until_they_are_answered(database: Database) -> None:
    """Whatever waits for a person is listed, oldest first, without those that were answered."""
    with database.write() as tx:
        for number in range(3):
            escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, f"alert {number}", NOW + number)
        first = escalations.find(tx)[0]
        escalations.answer(tx, first.id, NOW + 9, "ada", escalations.DONE, "")

        found = json.loads(json.dumps(views.open_escalations(tx)))

    assert [one["summary"] for one in found] == ["alert 1", "alert 2"]


def full_run(database: Database) -> str:
    """A run that went through and failed its verification; the id of its incident."""
    run = claimed(database)
    planned = replace(run, findings=Findings(decision=DECISION, plan=PLAN))
    with database.write() as tx:
        runs.begin_step(tx, run, "evaluate", 0, NOW)
        runs.finish_step(tx, run, "evaluate", NOW, Proceed(planned.findings, "planned"))
        approvals.ask(tx, run, PLAN, NOW, NOW + 900)
        runs.begin_step(tx, run, "verify", 6, NOW + 5)
        refusals.record(tx, run, "verify", FINDINGS.refusals[:1], NOW)
        runs.finish_step(tx, planned, "verify", NOW + 6, Stop(Result.FAILED, "no", FINDINGS))
        runs.finish(tx, planned, NOW + 7, Result.FAILED, "report.md")
        escalations.open_one(tx, "qrl", EscalationReason.ROLLBACK_FAILED, "no", NOW, incident=run.incident, run=run.id)
    return run.incident
