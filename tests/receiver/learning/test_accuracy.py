"""Accuracy and calibration are what scikit-learn says of the same decisions."""

from __future__ import annotations

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

from receiver.journal.reviews import Review
from receiver.learning.accuracy import ALL, accuracy, calibration, given, outcome
from receiver.learning.summary import summary
from receiver.model import Found, Worth
from tests.receiver.learning.reviewed import AT, review

MISSED = {"incident": None, "decided_rollback": False, "confidence": None, "decided_at": None}
REVIEWS = st.lists(
    st.builds(
        lambda rollback, necessary, branch: review(decided_rollback=rollback, necessary=necessary, branch=branch),
        st.booleans(),
        st.sampled_from(Found),
        st.sampled_from(["service_down", "minor_impact"]),
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.parametrize(
    ("rollback", "necessary", "worth"),
    [
        (True, Found.YES, Worth.RIGHT_ROLLBACK),
        (True, Found.NO, Worth.NEEDLESS_ROLLBACK),
        (False, Found.YES, Worth.MISSED),
        (False, Found.NO, Worth.RIGHT_RESTRAINT),
        (True, Found.UNSURE, Worth.UNSURE),
        (False, Found.UNSURE, Worth.UNSURE),
    ],
)
def test_a_decision_is_worth_what_a_person_found(rollback: bool, necessary: Found, worth: Worth) -> None:
    """Four outcomes; whoever is unsure counts for and against nothing."""
    assert outcome(review(decided_rollback=rollback, necessary=necessary)) is worth


@drawn(REVIEWS)
def test_precision_and_recall_are_those_of_scikit_learn(reviews: list[Review]) -> None:
    """For a deployment as a whole and for each branch, of all that somebody was sure of."""
    for one in accuracy(reviews):
        sure = [each for each in reviews if one.branch in (ALL, each.branch) and each.necessary is not Found.UNSURE]
        truth, told = [each.necessary is Found.YES for each in sure], [each.decided_rollback for each in sure]
        if one.precision.ratio is not None:
            assert one.precision.ratio == pytest.approx(precision_score(truth, told))
        if one.recall.ratio is not None:
            assert one.recall.ratio == pytest.approx(recall_score(truth, told))
        assert (one.precision.of, one.recall.of) == (sum(told), sum(truth))


def test_deployments_and_branches_are_told_apart() -> None:
    """The whole of a deployment comes first, then its branches; what was missed counts where it should have fired."""
    reviews = [review(1), review(2, deployment="shop"), review(3, branch="wide_impact"), review(4, **MISSED)]
    found = accuracy(reviews)

    assert [(one.deployment, one.branch) for one in found] == [
        ("qrl", ALL), ("qrl", "service_down"), ("qrl", "wide_impact"), ("shop", ALL), ("shop", "service_down"),
    ]  # fmt: skip
    assert [(one.recall.hits, one.recall.of) for one in found] == [(2, 3), (1, 2), (1, 1), (1, 1), (1, 1)]


def test_times_are_medians_of_the_right_rollbacks() -> None:
    """How long after the fault it was decided, and how long before a person noticed; what nobody knows counts not."""
    reviews = [
        review(1),
        review(2, decided_at=AT + 40, noticed_at=AT + 30),
        review(3, decided_at=AT + 60, noticed_at=None, began_at=None),
        review(4, necessary=Found.NO, decided_at=AT + 9999),
    ]
    whole = accuracy(reviews)[0]
    assert (whole.delay, whole.lead) == (30, 85)
    assert (accuracy([review(**MISSED)])[0].lead, accuracy([review(**MISSED)])[0].delay) == (None, None)


def test_calibration_counts_rollbacks_with_a_confidence() -> None:
    """What was watched or missed had no confidence, and who is unsure says nothing about it."""
    reviews = [
        review(1),
        review(2, necessary=Found.NO),
        review(3, confidence=0.7),
        review(4, necessary=Found.UNSURE),
        review(5, **MISSED),
        review(6, confidence=0.6, decided_rollback=False),
    ]
    [found] = calibration(reviews)

    assert [(row.confidence, row.came_true.hits, row.came_true.of) for row in found.table] == [
        (0.7, 1, 1),
        (0.99, 1, 2),
    ]
    assert found.brier == pytest.approx((0.01**2 + 0.99**2 + 0.3**2) / 3)


def test_answers_are_counted() -> None:
    """By deployment, question and answer."""
    counted = given([review(1), review(2, level_right=Found.NO)])
    assert counted["qrl", "level_right", "no"] == 1
    assert counted["qrl", "necessary", "yes"] == 2
    assert summary([])["reviewed"] == 0
