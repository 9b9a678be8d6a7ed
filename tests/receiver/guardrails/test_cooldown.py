"""Five minutes pass between two rollbacks of a deployment."""

from __future__ import annotations

import pytest

from receiver.config.guardrails import Cooldown, Guardrails
from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.cooldown import cooldown
from receiver.model import Refusal
from tests.receiver.guardrails.builders import NOW, Surroundings, facts


def test_refuses_soon_after_a_rollback() -> None:
    """A rollback 3:10 min ago refuses, it alone, names the guardrail, and says when to retry."""
    said_no = refusals(facts(earlier_claims=(NOW - 190,)))
    reason = "rolled back 0:03:10 ago, 0:05:00 must pass between two rollbacks"
    assert said_no == (Refusal("cooldown", reason, retry_at=NOW + 110),)


@pytest.mark.parametrize(("elapsed", "refused"), [(299.9, True), (300.0, False), (86400.0, False)])
def test_allows_from_five_minutes_on(elapsed: float, refused: bool) -> None:
    """After exactly 300 seconds it allows again."""
    assert (cooldown(facts(earlier_claims=(NOW - elapsed,))) is not None) is refused


def test_the_last_rollback_counts() -> None:
    """Of several rollbacks only the latest is looked at."""
    found = cooldown(facts(earlier_claims=(NOW - 5000, NOW - 100)))
    assert found is not None
    assert found.retry_at == NOW + 200


def test_allows_the_first_rollback() -> None:
    """A deployment that was never rolled back has nothing to cool down from."""
    assert cooldown(facts(earlier_claims=())) is None


def test_period_is_configuration() -> None:
    """With ten minutes configured, six are too few."""
    limits = Guardrails(cooldown=Cooldown.model_validate({"period": "10m"}))
    assert cooldown(facts(limits=limits, earlier_claims=(NOW - 360,))) is not None
    assert cooldown(facts(limits=limits, earlier_claims=(NOW - 600,))) is None


def test_clock_that_was_set_back_refuses() -> None:
    """A rollback that seems to lie ahead is treated as one of this moment."""
    found = cooldown(facts(earlier_claims=(NOW + 60,)))
    assert found is not None
    assert (found.reason.split(",")[0], found.retry_at) == ("rolled back 0:00:00 ago", NOW + 360)


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Where nobody knows when it was last rolled back, no facts are given and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError, match="not a database"):
        surroundings.read()
