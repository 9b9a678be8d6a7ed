"""Our arithmetic gives what SciPy and scikit-learn give."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from receiver.learning.arithmetic import LEVEL, Share, brier, reliability

FORECASTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(st.integers(1, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
@example((0, 1))
@example((1, 1))
@example((9, 10))
def test_intervals_are_those_of_scipy(counts: tuple[int, int]) -> None:
    """Wilson's interval, also for one case, and where none or all are hits."""
    hits, of = counts
    expected = binomtest(hits, of).proportion_ci(LEVEL, method="wilson")
    share = Share(hits, of)

    assert share.ratio == hits / of
    assert share.interval == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0.0 <= share.interval[0] <= share.ratio <= share.interval[1] <= 1.0


def test_nothing_says_nothing() -> None:
    """Of no cases there is no share, and everything is possible."""
    assert (Share(0, 0).ratio, Share(0, 0).interval, brier([]), reliability([])) == (None, (0.0, 1.0), None, ())


@given(FORECASTS)
def test_the_brier_score_is_that_of_scikit_learn(forecasts: list[tuple[float, bool]]) -> None:
    """The mean squared distance between what was told and what came."""
    told, came = zip(*forecasts, strict=True)
    assert brier(forecasts) == pytest.approx(
        brier_score_loss(came, told, pos_label=True, labels=[False, True]), abs=1e-12
    )


@given(st.lists(st.tuples(st.sampled_from([0.70, 0.90, 0.95, 0.99]), st.booleans()), min_size=1, max_size=80))
def test_the_table_is_the_curve_of_scikit_learn(forecasts: list[tuple[float, bool]]) -> None:
    """Each confidence of the tree is a point of the curve that quarters of a hundred bins would give."""
    told, came = zip(*forecasts, strict=True)
    expected_came, expected_told = calibration_curve(came, told, pos_label=True, n_bins=100)
    table = reliability(forecasts)

    assert [row.confidence for row in table] == pytest.approx(list(expected_told))
    assert [row.came_true.ratio for row in table] == pytest.approx(list(expected_came))
    assert sum(row.came_true.of for row in table) == len(forecasts)
