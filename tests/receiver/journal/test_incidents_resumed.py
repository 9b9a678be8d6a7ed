"""A run that only the watchdog or a deploy refused goes on once that is over, and no other does."""

from __future__ import annotations

import pytest

from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import escalations, incidents, releases, runs, seen
from receiver.journal.database import Database
from tests.receiver.journal.incident_steps import (
    CALLERS,
    refuse,
    request,
    resume,
    see_watchdog,
    wake,
)
from tests.receiver.journal.rows import NOW, at_once, claim, claimed


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
