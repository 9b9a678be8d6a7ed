"""No rollback of a rollback, until a deploy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.live_by_rollback import live_by_rollback
from receiver.journal import releases
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import Surroundings, facts


def test_refuses_what_a_rollback_made_live() -> None:
    """A release that is live by a rollback refuses, it alone, and names the run."""
    reason = "r2 is live by the rollback of run 0a1b2c3d, and is not rolled back by itself"
    assert refusals(facts(live_by_run="0a1b2c3d")) == (Refusal("live_by_rollback", reason),)


def test_allows_what_a_deploy_made_live() -> None:
    """As usual."""
    assert live_by_rollback(facts(live_by_run=None)) is None


def test_a_person_may_go_further_back() -> None:
    """A rollback by hand is not asked for how the release came to be live."""
    assert live_by_rollback(facts(live_by_run="0a1b2c3d", trigger=Trigger.OPERATOR)) is None


def test_unknown_refuses(surroundings: Surroundings) -> None:
    """Where the live release cannot be read, nobody knows how it came to be live; a person who asks need not know."""
    (surroundings.app / "current").unlink()
    found = surroundings.read()
    refusal = live_by_rollback(found)
    assert refusal is not None
    assert refusal.guardrail == "live_by_rollback"
    assert refusal.reason.startswith("it is not known whether a rollback made the live release live: ")
    assert str(surroundings.app / "current") in refusal.reason
    assert live_by_rollback(replace(found, trigger=Trigger.OPERATOR)) is None


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Without the journal nobody knows of earlier rollbacks, and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError):
        surroundings.read()


def test_it_is_remembered_until_the_next_deploy(surroundings: Surroundings) -> None:
    """It counts from the switch on, and no longer where the target says that the release went live later."""
    since = surroundings.read().live_since
    assert since is not None
    with surroundings.database.write() as tx:
        releases.set_live(tx, "qrl", "r2", since, by_run="0a1b2c3d")
    assert surroundings.read().live_by_run == "0a1b2c3d"

    current = surroundings.app / "current"
    current.unlink()
    current.symlink_to("releases/r2")
    assert surroundings.read().live_by_run is None
