"""An incident has one run at a time, and another one only when a person asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.journal import escalations, runs
from receiver.journal.database import Database
from receiver.model import Action, Demand, Result
from tests.receiver.journal.incident_steps import (
    CALLERS,
    answer,
    close_quiet,
    decided,
    end_run,
    request,
    wake,
)
from tests.receiver.journal.rows import DECISION, NOW, SERVICE_DOWN, at_once, begin, claim, claimed, contents


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
