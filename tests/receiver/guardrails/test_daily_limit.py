"""A deployment is rolled back at most three times in 24 hours."""

from __future__ import annotations

import pytest

from receiver.config.guardrails import DailyLimit, Guardrails
from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.daily_limit import daily_limit
from receiver.model import Refusal
from tests.receiver.guardrails.builders import NOW, Surroundings, facts

HOUR = 3600.0


def test_fourth_rollback_in_a_day_is_refused_until_the_first_is_a_day_old() -> None:
    """It alone refuses, and says when the oldest of the three no longer counts."""
    said_no = refusals(facts(earlier_claims=(NOW - 20 * HOUR, NOW - 3 * HOUR, NOW - HOUR)))
    reason = "3 rollbacks in the last 24 h, 3 are allowed"
    assert said_no == (Refusal("daily_limit", reason, retry_at=NOW + 4 * HOUR),)


def test_third_rollback_in_a_day_is_allowed() -> None:
    """Two earlier rollbacks leave a third."""
    assert daily_limit(facts(earlier_claims=(NOW - 2 * HOUR, NOW - HOUR))) is None


@pytest.mark.parametrize(("age", "refused"), [(24 * HOUR - 1, True), (24 * HOUR, False)])
def test_rollback_counts_for_exactly_a_day(age: float, refused: bool) -> None:
    """A rollback of exactly 24 hours ago counts no more."""
    found = daily_limit(facts(earlier_claims=(NOW - age, NOW - 2 * HOUR, NOW - HOUR)))
    assert (found is not None) is refused


def test_retry_is_told_for_the_place_that_comes_free_first() -> None:
    """With more claims than the limit allows, as after it was lowered, enough of them must become too old."""
    limits = Guardrails(daily_limit=DailyLimit.model_validate({"limit": 2, "period": "24h"}))
    found = daily_limit(facts(limits=limits, earlier_claims=(NOW - 9 * HOUR, NOW - 6 * HOUR, NOW - 3 * HOUR)))
    assert found is not None
    assert found.retry_at == NOW + 18 * HOUR


def test_limit_and_period_are_configuration() -> None:
    """One in two hours is refused after one hour and allowed after two."""
    limits = Guardrails(daily_limit=DailyLimit.model_validate({"limit": 1, "period": "2h"}))
    found = daily_limit(facts(limits=limits, earlier_claims=(NOW - HOUR,)))
    assert found == Refusal("daily_limit", "1 rollbacks in the last 2 h, 1 are allowed", retry_at=NOW + HOUR)
    assert daily_limit(facts(limits=limits, earlier_claims=(NOW - 2 * HOUR,))) is None


def test_rollbacks_that_seem_to_lie_ahead_count() -> None:
    """A clock that was set back does not refill the budget."""
    ahead = (NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert daily_limit(facts(earlier_claims=ahead)) is not None


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Where nobody knows how often it was rolled back, no facts are given and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError, match="not a database"):
        surroundings.read()
