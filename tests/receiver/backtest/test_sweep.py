"""A sweep's points are the curve that scikit-learn computes, and what it proposes is better than what is."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from configfile import ConfigError
from receiver.backtest.curve import curve
from receiver.backtest.judged import Judgement, Matrix, judge
from receiver.backtest.settings import Setting
from receiver.backtest.sweep import Point, proposals, read_sweep
from tests.receiver.backtest.test_judged import incident, nothing, span

Cases = list[tuple[bool, int]]
"""Whether a rollback was the remedy, and the worst that was measured in it, in percent."""


def swept(cases: Cases, threshold: int) -> Judgement:
    """What a rule with this threshold would have decided."""
    incidents = [incident(1000 * n, 1000 * n + 500, rollback=right) for n, (right, _) in enumerate(cases)]
    spans = [span(1000 * n, 1000 * n + 100) for n, (_, worst) in enumerate(cases) if worst >= threshold]
    return judge(incidents, spans, nothing)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=40).filter(dict))
def test_points_are_the_curve_of_scikit_learn(cases: Cases) -> None:
    """With each measured value as the threshold, precision and recall are those of the library's curve."""
    truth, worst = zip(*cases, strict=True)
    if not any(truth):
        return  # the library calls a recall of nothing 1, and we do not know it
    precision, recall, thresholds = precision_recall_curve(truth, worst)
    for place, threshold in enumerate(thresholds.tolist()):
        matrix = swept(cases, threshold).matrix
        assert (matrix.precision, matrix.recall) == (pytest.approx(precision[place]), pytest.approx(recall[place]))


CASES = [(True, 12), (True, 9), (True, 30), (False, 4), (False, 11), (False, 6)]


def points(*thresholds: int) -> list[Point]:
    """What these thresholds would have led to."""
    return [Point(Setting("some", "threshold", str(one)), swept(CASES, one)) for one in thresholds]


def test_better_values_are_proposed_with_all_that_they_change() -> None:
    """At 12 an incident is missed and another rightly left alone; at 7 no bad release is missed any more."""
    found = {one.point.setting.value: one for one in proposals(points(5, 7, 12), swept(CASES, 10))}
    assert {value: one.why.split(",")[0] for value, one in found.items()} == {
        "7": "most often right (F1)",
        "12": "more precise",
    }
    (change,) = found["7"].changes
    assert (change.before.is_right, change.after.is_right) == (False, True)
    (change,) = found["12"].changes
    assert not change.before.incident.rollback
    assert change.after.rollback is None


def test_nothing_is_proposed_where_nothing_is_better() -> None:
    """Values that are only different are not proposed."""
    assert list(proposals(points(1, 40), swept(CASES, 7))) == []


def test_ranges_and_lists_are_read() -> None:
    """A list is as it is given, a range has both of its ends, and durations can be listed too."""
    assert [one.value for one in read_sweep("a.threshold=0.02..0.1/4")] == ["0.02", "0.04", "0.06", "0.08", "0.1"]
    assert [str(one) for one in read_sweep("a.for=1m, 2m")] == ["a.for=1m", "a.for=2m"]


@pytest.mark.parametrize(
    "text", ["a.threshold=0.1", "a.threshold=0.1..x/3", "a.threshold=0..1/80", "a.threshold=0.1,b"]
)
def test_bad_sweeps_are_told(text: str) -> None:
    """One value is no sweep, and a range that is none, or has too many, is refused."""
    with pytest.raises(ConfigError, match=r"a\.threshold"):
        read_sweep(text)


def test_the_curve_is_drawn() -> None:
    """Each value that rolled something back is a dot, equal ones share a label, and the present one has a ring."""
    drawn = ET.fromstring(
        curve(
            "a <b>",
            [("1", Matrix(2, 2, 0, 0)), ("2", Matrix(2, 2, 0, 0)), ("3", Matrix(0, 0, 2, 2))],
            Matrix(1, 1, 1, 1),
        )
    )
    circles = drawn.findall("{http://www.w3.org/2000/svg}circle")
    assert [one.get("class") for one in circles] == ["point", "point", "present"]
    texts = [one.text for one in drawn.findall("{http://www.w3.org/2000/svg}text")]
    assert "1 to 2" in texts
    assert "a <b>" in texts
