"""What the journal knows of incidents and their reviews, as what decisions are judged by."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.backtest.reviewed import CUT, NO_END, NO_REVIEW, UNSURE, Incident, Reviews, Unanswered, reviews_of_journal
from receiver.journal.reviews import Occurrence
from receiver.model import Found
from tests.receiver.learning.reviewed import AT, review

NOW = AT + 9000


def of_journal(opened: float | None = AT + 10, closed: float | None = AT + 300, **answers: Any) -> Reviews:
    """What is known of one incident with these answers."""
    return reviews_of_journal([Occurrence("qrl", "incident-1", opened, closed, review(**answers))], NOW)


def test_a_review_says_what_was_the_remedy_and_when_a_person_knew() -> None:
    """From its beginning to when the agent saw it over; without a beginning, from when the agent heard of it."""
    assert of_journal().incidents == (Incident("qrl", AT, AT + 300, True, "a typing error", AT + 200),)
    (heard,) = of_journal(began_at=None, necessary=Found.NO, noticed_at=None).incidents
    assert (heard.since, heard.began_is_known, heard.rollback, heard.mitigated_at) == (AT + 10, False, False, None)


def test_a_missed_incident_went_on_until_somebody_noticed_it() -> None:
    """Or until it was over, where a person says so; where neither is known it is neither right nor wrong."""
    for answers, until in (({}, AT + 200), ({"ended_at": AT + 700}, AT + 700)):
        found = of_journal(None, None, incident=None, **answers)
        assert ([one.until for one in found.incidents], found.unanswered) == ([until], ())
    found = of_journal(None, None, incident=None, noticed_at=None)
    assert [(one.since, one.until, one.why) for one in found.unanswered] == [(AT, AT, NO_END)]
    assert found.incidents == ()


def test_what_nobody_has_answered_is_neither_right_nor_wrong() -> None:
    """An incident without a review, open ones until now, and one whose reviewer is unsure."""
    waiting = [Occurrence("qrl", "a", AT, AT + 9, None), Occurrence("qrl", "b", AT + 50, None, None)]
    found = reviews_of_journal(waiting, NOW)
    assert found.unanswered == (
        Unanswered("qrl", AT, AT + 9, NO_REVIEW, "a"),
        Unanswered("qrl", AT + 50, NOW, NO_REVIEW, "b"),
    )
    assert [one.why for one in of_journal(necessary=Found.UNSURE).unanswered] == [UNSURE]


def test_a_review_without_any_moment_is_left_out() -> None:
    """Its incident is forgotten, and nobody decided anything: nothing can be set beside it."""
    found = of_journal(None, None, began_at=None, decided_at=None)
    assert (found.incidents, found.unanswered) == ((), ())


@pytest.mark.parametrize(
    ("since", "until", "only", "whole", "asked"),
    [
        (0, 1000, (), 1, [NO_REVIEW]),
        (150, 1000, (), 0, [NO_REVIEW, CUT]),
        (0, 150, (), 0, [CUT]),
        (201, 299, (), 0, []),
        (0, 1000, ("other",), 0, []),
    ],
)
def test_of_half_an_incident_nothing_is_said(
    since: int, until: int, only: tuple[str, ...], whole: int, asked: list[str]
) -> None:
    """What lies in the period as a whole counts; of what is cut a rollback is neither right nor wrong."""
    reviews = Reviews("x", (Incident("qrl", 100, 200, True),), (Unanswered("qrl", 300, 400, NO_REVIEW),))
    found = reviews.within(since, until, only)
    assert (len(found.incidents), [one.why for one in found.unanswered]) == (whole, asked)
