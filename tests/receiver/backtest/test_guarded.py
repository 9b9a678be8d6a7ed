"""What the budget would have refused of a replay, as its guardrails say in their own words."""

from __future__ import annotations

import pytest

from receiver.backtest.decisions import Course
from receiver.backtest.guarded import stopped
from receiver.config.guardrails import Cooldown, DailyLimit, Guardrails
from tests.receiver.backtest.test_judged import DAY, span

LIMITS = Guardrails()


def told(*spans: object, limits: Guardrails = LIMITS) -> list[tuple[float, list[str]]]:
    """The seconds of the day of what would not have been done, with who refused."""
    found = stopped(spans, limits, 15)  # type: ignore[arg-type]
    return [(one.decision.since - DAY, [refusal.guardrail for refusal in one.refusals]) for one in found]


def test_fourth_rollback_of_a_day_is_refused() -> None:
    """Three in 24 h; a day after the first the next one may go, as the guardrail says itself."""
    hours = [span(3600 * hour, 3600 * hour + 60) for hour in (0, 2, 4, 6)]
    assert told(*hours) == [(21_600, ["daily_limit"])]
    assert told(*hours[:3], span(86_400, 86_460)) == []
    (refused,) = stopped(hours, LIMITS, 15)
    assert refused.refusals[0].reason == "3 rollbacks in the last 24 h, 3 are allowed"


def test_rollback_right_after_another_is_refused_and_counts_for_nothing() -> None:
    """Five minutes from claim to claim; what was refused claimed nothing."""
    assert told(span(0, 60), span(299, 320), span(400, 420)) == [(299, ["cooldown"])]
    assert told(span(0, 60), span(301, 320)) == []
    assert (
        told(span(0, 60), span(299, 320), limits=Guardrails(cooldown=Cooldown.model_validate({"period": "1m"}))) == []
    )
    both = Guardrails(daily_limit=DailyLimit(limit=1))
    assert told(span(0, 60), span(299, 320), limits=both) == [(299, ["daily_limit", "cooldown"])]


def test_an_incident_has_one_attempt() -> None:
    """What goes on firing, by another branch too, is the same incident, also after a refusal; a pause ends it."""
    assert told(span(0, 60), span(75, 600)) == [(75, [])]
    assert told(span(0, 60), span(61, 400, Course.ASKED), span(410, 600)) == [(410, [])]
    assert told(span(0, 60), span(200, 320), span(330, 900)) == [(200, ["cooldown"]), (330, [])]
    assert told(span(0, 60, Course.WATCHED), span(75, 600)) == []


@pytest.mark.parametrize("course", [Course.PROPOSED, Course.RECORDED, Course.ASKED])
def test_only_what_is_done_without_asking_claims(course: Course) -> None:
    """A person may deny a proposal; deployments have budgets of their own."""
    assert told(span(0, 60, course), span(100, 120)) == []
    assert told(span(0, 60), span(100, 120, deployment="other")) == []
