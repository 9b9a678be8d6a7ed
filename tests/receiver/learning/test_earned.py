"""A branch earns L4 by approved rollbacks that were right, and by a precision that is sure enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from receiver.config.earned import EarnedAutonomy
from receiver.journal.earned import Earned
from receiver.journal.reviews import Review
from receiver.learning.earned import Evidence, begun_anew, evidence, settled
from receiver.model import Autonomy, Found
from tests.receiver.learning.reviewed import AT, review

NEEDED = EarnedAutonomy(enabled=True)
AT_FIRST = Earned("qrl", "service_down")
AT_L4 = replace(AT_FIRST, level=Autonomy.L4, changes=1, changed_at=AT)


def reviews(right: int, wrong: int = 0, **changes: Any) -> list[Review]:
    """So many that were necessary, each approved by a person, and so many that were not."""
    found = [review(number, approved_success=True, **changes) for number in range(right)]
    return found + [review(100 + number, necessary=Found.NO, **changes) for number in range(wrong)]


def of(found: list[Review], since: float = 0.0) -> Evidence:
    """What they say, with the usual bound of confidence."""
    return evidence(found, since, 0.90)


@pytest.mark.parametrize(
    ("right", "wrong", "rises"),
    [(34, 0, False), (35, 0, True), (51, 1, False), (52, 1, True), (66, 2, False), (67, 2, True)],
)
def test_the_lower_end_of_the_interval_must_reach_the_bar(right: int, wrong: int, rises: bool) -> None:
    """As the page tells it: 35 right ones where none was wrong, 52 where one was."""
    found = settled(AT_FIRST, of(reviews(right, wrong)), NEEDED, AT, may_rise=True)
    assert (found.level is Autonomy.L4, found.changes) == (rises, int(rises))


def test_so_many_must_have_been_approved() -> None:
    """Right ones that nobody had been asked about, or that were not verified, are no approved success."""
    unasked = [replace(one, approved_success=False) for one in reviews(60)[19:]]
    found = of(reviews(19) + unasked)
    assert (found.approved, found.precision.hits) == (19, 60)
    assert not found.suffices(NEEDED)
    assert found.against(NEEDED) == "19 of 20 approved, lower bound of precision 0.939 of 0.9"


@pytest.mark.parametrize(
    ("changes", "approved", "right", "reviewed"),
    [
        ({}, 1, 1, 1),
        ({"necessary": Found.UNSURE}, 0, 0, 0),
        ({"necessary": Found.NO}, 0, 0, 1),
        ({"level_right": Found.NO}, 0, 0, 1),
        ({"level_right": Found.UNSURE}, 1, 1, 1),
        ({"confidence": 0.90}, 0, 1, 1),
        ({"confidence": None}, 0, 1, 1),
        ({"decided_rollback": False}, 0, 0, 0),
        ({"decided_rollback": False, "necessary": Found.NO}, 0, 0, 0),
        ({"decided_at": AT}, 0, 0, 0),
        ({"decided_at": None}, 0, 0, 0),
        ({"decided_at": None, "necessary": Found.NO}, 0, 0, 1),
    ],
)
def test_what_a_review_counts_for(changes: dict[str, Any], approved: int, right: int, reviewed: int) -> None:
    """Of what was decided after a moment; what is not known counts only against the branch."""
    found = of([review(approved_success=True, **changes)], since=AT)
    assert (found.approved, found.precision.hits, found.precision.of) == (approved, right, reviewed)


def test_without_leave_it_does_not_rise() -> None:
    """Where it is switched off, or an operator has set a level, what was earned changes nothing."""
    enough = of(reviews(40))
    assert settled(AT_FIRST, enough, None, AT, may_rise=True) == AT_FIRST
    assert settled(AT_FIRST, enough, NEEDED, AT, may_rise=False) == AT_FIRST


def test_what_is_not_enough_any_more_is_taken_back_and_counts_on() -> None:
    """Switched off, a higher bar, a review that was corrected to unsure: nothing went wrong, nothing is forgotten."""
    for needed, found in (
        (None, of(reviews(40))),
        (NEEDED.model_copy(update={"precision": 0.95}), of(reviews(40))),
        (NEEDED, of(reviews(34))),
    ):
        lower = settled(AT_L4, found, needed, AT + 5, may_rise=True)
        assert (lower.level, lower.changes, lower.changed_at, lower.counts_from) == (Autonomy.L3, 2, AT + 5, 0.0)
    assert settled(AT_L4, of(reviews(40)), NEEDED, AT + 5, may_rise=False) == AT_L4


def test_what_went_wrong_begins_the_counting_anew() -> None:
    """From L4 that is a change of the level; at L3 nothing changes but from when on it counts."""
    fallen = begun_anew(AT_L4, "it was needless", AT + 9, AT + 10)
    assert (fallen.level, fallen.changes, fallen.changed_at) == (Autonomy.L3, 2, AT + 9)
    assert (fallen.reason, fallen.counts_from) == ("it was needless", AT + 10)
    still = begun_anew(AT_FIRST, "it failed", AT + 9, AT + 10)
    assert (still.level, still.changes, still.changed_at, still.counts_from) == (Autonomy.L3, 0, None, AT + 10)
