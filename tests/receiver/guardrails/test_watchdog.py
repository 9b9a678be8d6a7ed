"""Who hears nothing from Alertmanager does nothing by itself."""

from __future__ import annotations

import pytest

from receiver.config.guardrails import Guardrails, Watchdog
from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.watchdog import WHAT_TO_DO, missing_for, watchdog
from receiver.journal import seen
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import NOW, Surroundings, facts


def test_refuses_when_the_last_one_is_long_ago() -> None:
    """Seven minutes after the last Watchdog it alone refuses, says how long ago that was and where to look."""
    said_no = refusals(facts(watchdog_seen=NOW - 430))
    assert said_no == (Refusal("watchdog", f"the last Watchdog came 0:07:10 ago; {WHAT_TO_DO}"),)


def test_refuses_when_none_ever_came() -> None:
    """An agent that has served for longer than that and never heard one says so."""
    said_no = refusals(facts(watchdog_seen=None, serving_since=NOW - 600))
    reason = f"no Watchdog has ever come, and the agent has served for 0:10:00; {WHAT_TO_DO}"
    assert said_no == (Refusal("watchdog", reason),)


@pytest.mark.parametrize(("elapsed", "refused"), [(30.0, False), (299.9, False), (300.0, True)])
def test_refuses_from_five_minutes_on(elapsed: float, refused: bool) -> None:
    """A Watchdog within five minutes is enough."""
    assert (watchdog(facts(watchdog_seen=NOW - elapsed)) is not None) is refused


@pytest.mark.parametrize("last", [None, NOW - 86400])
def test_a_fresh_start_has_as_long_to_hear_one(last: float | None) -> None:
    """Whatever was seen before this process began, its first five minutes refuse nothing."""
    assert watchdog(facts(watchdog_seen=last, serving_since=NOW - 299)) is None
    assert watchdog(facts(watchdog_seen=last, serving_since=NOW - 301)) is not None


def test_a_persons_own_request_needs_none() -> None:
    """By hand it may be rolled back while Alertmanager is down."""
    assert watchdog(facts(watchdog_seen=None, serving_since=0.0, trigger=Trigger.OPERATOR)) is None


def test_max_age_is_configuration() -> None:
    """With ten minutes configured, seven are not too long."""
    limits = Guardrails(watchdog=Watchdog.model_validate({"max_age": "10m"}))
    assert watchdog(facts(limits=limits, watchdog_seen=NOW - 420)) is None
    assert watchdog(facts(limits=limits, watchdog_seen=NOW - 600)) is not None


def test_clock_that_was_set_back_refuses() -> None:
    """A Watchdog that seems to lie an hour ahead proves nothing; a moment ahead is another machine's clock."""
    said_no = refusals(facts(watchdog_seen=NOW + 3600))
    assert said_no == (Refusal("watchdog", "the last Watchdog seems to lie ahead: the clock was set back"),)
    assert watchdog(facts(watchdog_seen=NOW + 2)) is None


def test_what_is_missing_is_missing_since_the_last_or_the_start() -> None:
    """How long none has come counts from the later of the two."""
    assert missing_for(NOW, NOW - 400, NOW - 900, 300) == 400
    assert missing_for(NOW, NOW - 900, NOW - 400, 300) == 400
    assert missing_for(NOW, NOW - 200, NOW - 900, 300) is None


def test_what_lies_ahead_is_missing_for_no_time() -> None:
    """A Watchdog of the future is one that is missing, and not for less than no time."""
    assert missing_for(NOW, NOW + 3600, NOW - 900, 300) == 0


def test_facts_tell_the_last_one_and_the_start(surroundings: Surroundings) -> None:
    """What the journal remembers and when this process began is what is asked about."""
    assert surroundings.read().watchdog_seen is None
    with surroundings.database.write() as tx:
        seen.mark(tx, seen.WATCHDOG, NOW)
    found = surroundings.read()
    assert (found.watchdog_seen, found.serving_since) == (NOW, surroundings.world.serving_since)


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Without the journal nobody knows when the last one came, and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError):
        surroundings.read()


def test_entry_that_cannot_be_read_is_no_watchdog(surroundings: Surroundings) -> None:
    """What the journal holds in the place of a moment refuses, however it came there."""
    with surroundings.database.write() as tx:
        seen.mark(tx, seen.WATCHDOG, NOW)
        tx.exec_driver_sql("update seen set at = 'not a moment'")
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["watchdog"]
