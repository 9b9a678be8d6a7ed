"""An incident has one run at a time, and another one only when a person asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import escalations, incidents, refusals, releases, runs, seen
from receiver.journal.database import Database
from receiver.model import Action, Decision, Demand, EscalationReason, Findings, Level, Refusal, Result, Run, Stop
from tests.receiver.journal.rows import DECISION, NOW, SERVICE_DOWN, at_once, begin, claim, claimed, contents

CALLERS = 50
ANOTHER = Demand("another", Action.ROLLBACK)


def test_fifty_wakes_at_once_begin_one_run(database: Database) -> None:
    """However many notifications tell of the same thing in the same moment, one incident and one run begin."""
    begun = at_once(CALLERS, lambda _: wake(database, NOW))

    assert len([run for run in begun if run is not None]) == 1
    held = contents(database)
    assert (len(held["incident"]), len(held["run"])) == (1, 1)


def test_deployments_have_incidents_of_their_own(database: Database) -> None:
    """What fires on one deployment begins nothing on another."""
    assert begin(database, "qrl") != begin(database, "shop")
    assert len(contents(database)["incident"]) == 2


def test_a_wake_lets_a_waiting_run_look_now(database: Database) -> None:
    """A further notification begins no run but makes the one that waits due at once."""
    run = claimed(database)
    with database.write() as tx:
        runs.wait(tx, run, NOW + 50)

    assert wake(database, NOW + 1) is None
    again = claim(database, NOW + 1)

    assert again is not None
    assert again.id == run.id


def test_an_ended_run_is_not_followed_by_another(database: Database) -> None:
    """An alert that still fires after the run has ended, an hour later too, begins none: a person must say so."""
    end_run(database)

    assert [wake(database, NOW + offset) for offset in (1, 3600)] == [None, None]


@pytest.mark.parametrize("action", [Action.WATCH, Action.ASK])
def test_a_rollback_branch_gets_its_run_after_one_that_only_asked(database: Database, action: Action) -> None:
    """What was only watched or asked about is looked at again, once, when a rollback branch decides; not before."""
    end_run(database, decided(action), Result.RECORDED)

    assert wake(database, NOW + 1, Demand(DECISION.branch, action)) is None
    begun = at_once(CALLERS, lambda _: wake(database, NOW + 2))

    assert len([run for run in begun if run is not None]) == 1


def test_a_worse_branch_gets_its_run_after_one_that_was_only_recorded(database: Database) -> None:
    """Of too little confidence to act, a branch does not stand in the way of another that decides later."""
    end_run(database, replace(DECISION, confidence=0.5), Result.RECORDED)

    assert wake(database, NOW + 1, SERVICE_DOWN) is None
    assert wake(database, NOW + 2) is not None


@pytest.mark.parametrize("branch", ["another", DECISION.branch])
def test_a_branch_that_asks_gets_its_run_after_one_that_was_watched(database: Database, branch: str) -> None:
    """What is watched keeps nobody from being asked, also by the same branch; a further watch is no reason to look."""
    end_run(database, decided(Action.WATCH), Result.RECORDED)

    assert wake(database, NOW + 1, Demand("another", Action.WATCH)) is None
    begun = at_once(CALLERS, lambda _: wake(database, NOW + 2, Demand(branch, Action.ASK)))

    assert len([run for run in begun if run is not None]) == 1


def test_a_branch_that_goes_on_asking_begins_no_second_run(database: Database) -> None:
    """A human who was asked is not asked again, an hour later either, though a watch comes in between."""
    end_run(database, decided(Action.ASK), Result.ASKED)

    for number, action in enumerate((Action.ASK, Action.WATCH, Action.ASK)):
        assert wake(database, NOW + 3600 * number, Demand(DECISION.branch, action)) is None


@pytest.mark.parametrize("result", [Result.REFUSED, Result.DENIED, Result.EXPIRED, Result.FAILED, Result.NO_EFFECT])
def test_nobody_is_asked_beside_a_rollback_that_was_tried(database: Database, result: Result) -> None:
    """Where a rollback was attempted, refused, denied or not answered, a human knows already."""
    end_run(database, result=result)

    assert wake(database, NOW + 1, Demand("another", Action.ASK)) is None


@pytest.mark.parametrize("demand", [SERVICE_DOWN, Demand("another", Action.ASK)], ids=str)
@pytest.mark.parametrize("result", [Result.NOT_NEEDED, Result.WITHDRAWN])
def test_what_came_back_gets_its_run(database: Database, result: Result, demand: Demand) -> None:
    """A run that ended because nothing fired is followed by another when a branch asks for more than being watched."""
    end_run(database, result=result)

    assert wake(database, NOW + 1, Demand("another", Action.WATCH)) is None
    assert wake(database, NOW + 2, demand) is not None


def test_the_answer_retry_begins_exactly_one_run(database: Database) -> None:
    """After a person's "retry" the next wake begins one run, the wakes after it none."""
    answer(database, end_run(database), escalations.RETRY, NOW + 10)

    begun = at_once(CALLERS, lambda _: wake(database, NOW + 11))

    assert len([run for run in begun if run is not None]) == 1
    second = claim(database, NOW + 11)
    assert second is not None
    with database.write() as tx:
        runs.finish(tx, second, NOW + 12, Result.FAILED, None)
    assert wake(database, NOW + 13) is None


@pytest.mark.parametrize("later", [escalations.DONE, None])
def test_without_retry_as_the_last_word_nothing_begins(database: Database, later: str | None) -> None:
    """ "Done" begins nothing, also where an earlier answer in the incident was "retry"."""
    incident = end_run(database)
    if later is None:
        answer(database, incident, escalations.DONE, NOW + 10)
    else:
        answer(database, incident, escalations.RETRY, NOW + 10)
        answer(database, incident, later, NOW + 11)

    assert wake(database, NOW + 12) is None


def test_retry_while_the_run_is_still_reported_is_not_lost(database: Database) -> None:
    """A "retry" that comes before the run has quite ended begins the next one afterwards."""
    run = claimed(database)
    answer(database, run.incident, escalations.RETRY, NOW + 1)
    assert wake(database, NOW + 2) is None
    with database.write() as tx:
        runs.finish(tx, run, NOW + 3, Result.FAILED, None)

    assert wake(database, NOW + 4) is not None


def test_quiet_closes_an_incident_whose_run_has_ended(database: Database) -> None:
    """When nothing fires any more the incident is closed, once, and what fires next is a new one."""
    incident = end_run(database)

    assert close_quiet(database, NOW + 5) == incident
    assert close_quiet(database, NOW + 6) is None
    begin(database, now=NOW + 7)

    found = sorted(contents(database)["incident"], key=lambda row: row[2])
    assert [(row[0] == incident, row[3]) for row in found] == [(True, NOW + 5), (False, None)]


def test_quiet_does_not_close_over_a_run(database: Database) -> None:
    """An incident whose run is under way, or waits, stays open in quiet."""
    run = claimed(database)
    assert close_quiet(database, NOW + 1) is None
    with database.write() as tx:
        runs.wait(tx, run, NOW + 50)
    assert close_quiet(database, NOW + 2) is None


def test_a_person_gets_a_run_unless_one_is_under_way(database: Database) -> None:
    """A request begins one run, many at once too; while that is under way there is no second one."""
    begun = at_once(CALLERS, lambda _: request(database))

    assert len([run for run in begun if run is not None]) == 1
    assert wake(database, NOW) is None


def test_a_person_gets_a_run_in_an_incident_whose_run_has_ended(database: Database) -> None:
    """A request needs no "retry": it begins a run within the incident that is open."""
    incident = end_run(database)

    assert request(database) is not None
    run = claim(database)

    assert run is not None
    assert run.incident == incident


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


def test_what_only_the_watchdog_refused_goes_on_when_it_is_back(database: Database) -> None:
    """One Watchdog after the refusal begins one run, whoever asks, and closes the question of the refused run."""
    incident = refuse(database, "watchdog", at=NOW + 2)
    see_watchdog(database, NOW + 1)
    assert resume(database, NOW + 2) is None

    see_watchdog(database, NOW + 3)
    begun = at_once(CALLERS, lambda _: resume(database, NOW + 4))

    assert len([run for run in begun if run is not None]) == 1
    with database.read() as tx:
        (asked,) = escalations.find(tx, incident=incident)
    assert (asked.answer, asked.answered_by) == (escalations.RETRY, "rollback-agent")


def test_a_run_that_is_refused_again_needs_another_return(database: Database) -> None:
    """It never loops: what refused the second run is later than the Watchdog that began it."""
    refuse(database, "watchdog", at=NOW)
    see_watchdog(database, NOW + 1)
    assert resume(database, NOW + 2) is not None
    refuse(database, "watchdog", at=NOW + 3, run=claim(database, NOW + 2))

    assert resume(database, NOW + 4) is None
    see_watchdog(database, NOW + 5)
    assert resume(database, NOW + 6) is not None


def test_what_only_a_deploy_refused_goes_on_when_it_has_ended(database: Database) -> None:
    """Once no deploy is under way one run begins; with the Watchdog missing as well, both have to have passed."""
    with database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", NOW, commit=None, author=None)
    refuse(database, "release_in_progress", "watchdog", at=NOW + 1)
    see_watchdog(database, NOW + 2)
    assert resume(database, NOW + 3) is None
    with database.write() as tx:
        releases.deploy_finished(tx, "qrl", "r3", NOW + 4, None)

    begun = at_once(CALLERS, lambda _: resume(database, NOW + 5))

    assert len([run for run in begun if run is not None]) == 1


def test_the_guardrails_that_pass_are_guardrails() -> None:
    """What the journal knows them by are their names."""
    assert {incidents.DEPLOY, seen.WATCHDOG} <= {guardrail.__name__ for guardrail in GUARDRAILS}


def test_another_refusal_beside_the_watchdogs_is_final(database: Database) -> None:
    """What another guardrail refuses as well waits for a person."""
    refuse(database, "watchdog", "kill_switch", at=NOW)
    see_watchdog(database, NOW + 1)

    assert resume(database, NOW + 2) is None


def test_the_watchdog_begins_nothing_where_nothing_asks_for_it(database: Database) -> None:
    """Without a rollback branch that fires, without an incident, or over a run under way it begins none."""
    see_watchdog(database, NOW + 1)
    assert resume(database, NOW + 2) is None
    refuse(database, "watchdog", at=NOW)
    assert resume(database, NOW + 2, deciding=None) is None
    assert request(database) is not None
    assert resume(database, NOW + 3) is None


@pytest.mark.parametrize("word", [escalations.DONE, escalations.RETRY])
def test_a_persons_answer_goes_before_the_watchdog(database: Database, word: str) -> None:
    """Who has answered what the refused run asked has decided; its "retry" begins the run, once."""
    incident = refuse(database, "watchdog", at=NOW)
    with database.write() as tx:
        (asked,) = escalations.find(tx, incident=incident, only_open=True)
        assert escalations.answer(tx, asked.id, NOW + 1, "ada", word, "")
    see_watchdog(database, NOW + 2)

    assert resume(database, NOW + 3) is None
    assert (wake(database, NOW + 4) is not None) == (word == escalations.RETRY)


def test_a_claimed_run_is_not_followed_by_another(database: Database) -> None:
    """What was refused after the budget was claimed is not begun again by itself."""
    run = claimed(database)
    with database.write() as tx:
        runs.set_claimed(tx, run, NOW)
    refuse(database, "watchdog", at=NOW, run=run)
    see_watchdog(database, NOW + 1)

    assert resume(database, NOW + 2) is None


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
