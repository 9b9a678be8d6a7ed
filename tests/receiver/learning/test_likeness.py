"""Incidents that show the same are found again, whatever their deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jaccard

from receiver.learning.likeness import alike, likeness
from tests.receiver.learning.reviewed import review

SHOWN = frozenset({"branch service_down", "service flask"})
NAMES = "abcdefgh"


@given(st.frozensets(st.sampled_from(NAMES)), st.frozensets(st.sampled_from(NAMES)))
def test_likeness_is_jaccards_of_scipy(one: frozenset[str], other: frozenset[str]) -> None:
    """What both show, as a share of what either shows; two that show nothing are not alike."""
    if one | other:
        expected = 1 - jaccard([name in one for name in NAMES], [name in other for name in NAMES])
        assert likeness(one, other) == pytest.approx(expected)
    else:
        assert likeness(one, other) == 0


def test_the_likest_stand_first_and_the_unlike_nowhere() -> None:
    """Half in common is enough, three are told, of equal ones the newest; an incident is not like itself."""
    more = SHOWN | {"beyond deployment:availability:ratio"}
    reviews = [
        review(1, features=frozenset({"branch service_down"})),
        review(2),
        review(3, deployment="shop"),
        review(4, features=more),
        review(5, features=frozenset({"branch wide_impact"})),
        review(6),
    ]
    found = alike(SHOWN, reviews, but="incident-6")

    assert [one.review.id for one in found] == ["review-3", "review-2", "review-4"]
    assert found[2].likeness == pytest.approx(2 / 3)
    assert alike(frozenset(), reviews) == ()
