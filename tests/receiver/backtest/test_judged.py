"""Decisions beside reviewed incidents: every case of the matrix, and the figures as scikit-learn computes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from configfile import ConfigError
from receiver.backtest.activity import Span
from receiver.backtest.decisions import Course, DecisionSpan
from receiver.backtest.judged import AFTERMATH, judge
from receiver.backtest.reviewed import NO_REVIEW, Incident, Unanswered, read_reviewed
from receiver.backtest.run import FailedRequests, Replayer
from receiver.config import DecisionBounds
from receiver.model import Action, Decision, Level
from receiver.prometheus_api import Series


def incident(since: int, until: int, *, rollback: bool = True, by_hand: int | None = None) -> Incident:
    """A reviewed incident on `qrl`; moments are seconds of 2026-11-30."""
    return Incident("qrl", DAY + since, DAY + until, rollback, "", None if by_hand is None else DAY + by_hand)


DAY = 1_795_996_800.0


def span(since: int, until: int, course: Course = Course.ROLLED_BACK, deployment: str = "qrl") -> DecisionSpan:
    """A decision of HighErrorRate."""
    decision = Decision("high_error_rate", "HighErrorRate", Action.ROLLBACK, Level.FAST, 0.95, "", (), (), 2)
    return DecisionSpan(deployment, decision, course, DAY + since, DAY + until)


def nothing(_deployment: str, _since: float, _until: float) -> float:
    return 0.0


def test_each_incident_has_its_first_rollback() -> None:
    """The first rollback within an incident counts, how early it came, and how long before a person acted."""
    found = judge([incident(100, 200, by_hand=190)], [span(150, 160), span(130, 135)], nothing)
    (one,) = found.incidents
    assert (one.is_right, one.delay, one.lead) == (True, 30.0, 60.0)
    assert found.not_reviewed == ()


def test_rollback_that_had_begun_counts_from_the_beginning() -> None:
    """A decision that stands already when the incident begins has no delay, and none less than that."""
    assert judge([incident(100, 200)], [span(50, 120)], nothing).incidents[0].delay == 0


def test_other_deployments_and_other_courses_do_not_count() -> None:
    """A watch is no rollback, nor is one of somebody else; a proposal is one only where it is asked for."""
    spans = [span(150, 160, Course.WATCHED), span(150, 160, deployment="other"), span(170, 180, Course.PROPOSED)]
    assert judge([incident(100, 200)], spans, nothing).incidents[0].delay == 70
    alone = judge([incident(100, 200)], spans, nothing, (Course.ROLLED_BACK,))
    assert alone.incidents[0].rollback is None
    assert [one.deployment for one in alone.not_reviewed] == ["other"]


def test_rollback_that_nobody_reviewed_is_a_false_one() -> None:
    """Nobody has asked for it; but what is decided while the windows still remember an incident is neither."""
    late = int(200 + AFTERMATH)
    found = judge([incident(100, 200)], [span(150, 160), span(late, late), span(late + 1, late + 9)], nothing)
    assert [one.since - DAY for one in found.not_reviewed] == [late + 1]
    assert (found.matrix.true_positives, found.matrix.false_positives, found.matrix.not_reviewed) == (1, 1, 1)


def test_rollback_in_an_incident_without_an_answer_is_in_no_figure() -> None:
    """It may be right or wrong; what is in a reviewed incident as well is judged by that."""
    asked = [Unanswered("qrl", DAY + 150, DAY + 400, NO_REVIEW), Unanswered("other", DAY, DAY + 9999, NO_REVIEW)]
    found = judge([incident(100, 200)], [span(150, 160), span(700, 710), span(900, 910)], nothing, unanswered=asked)
    assert [one.since - DAY for one in found.unanswered] == [700]
    assert [one.since - DAY for one in found.not_reviewed] == [900]
    assert (found.matrix.true_positives, found.matrix.false_positives) == (1, 1)


def test_delay_is_not_known_where_the_beginning_is_not() -> None:
    """When the agent heard of it is no beginning; how long before a person it decided is known all the same."""
    (one,) = judge(
        [replace(incident(100, 200, by_hand=190), began_is_known=False)], [span(150, 160)], nothing
    ).incidents
    assert (one.is_right, one.delay, one.lead) == (True, None, 40.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_figures_are_those_of_scikit_learn(cases: list[tuple[bool, bool]]) -> None:
    """Whatever was the remedy and whatever was decided: matrix, precision, recall and F1 are the library's."""
    incidents = [incident(1000 * n, 1000 * n + 500, rollback=right) for n, (right, _) in enumerate(cases)]
    spans = [span(1000 * n + 100, 1000 * n + 200) for n, (_, done) in enumerate(cases) if done]
    matrix = judge(incidents, spans, nothing).matrix
    truth, found = zip(*cases, strict=True)
    expected = confusion_matrix(truth, found, labels=[False, True]).ravel().tolist()
    assert [matrix.true_negatives, matrix.false_positives, matrix.false_negatives, matrix.true_positives] == expected
    for ours, theirs in (
        (matrix.precision, precision_score),
        (matrix.recall, recall_score),
        (matrix.f1, f1_score),
    ):
        # Where there is nothing to divide by, the library says 0 and warns; we say that it is not known.
        assert (0.0 if ours is None else ours) == pytest.approx(theirs(truth, found, zero_division=0))


def test_cost_is_what_failed_before_and_after_the_decision() -> None:
    """Requests that failed until the decision are the cost of waiting, those after it are what a rollback spares."""
    rates = {DAY + second: 2.0 for second in range(0, 400, 10)}
    cost = FailedRequests(10, {"qrl": rates})
    (one,) = judge([incident(100, 200)], [span(130, 150)], cost).incidents
    assert (one.waited, one.spared) == (60.0, 140.0)
    (missed,) = judge([incident(100, 200)], [], cost).incidents
    assert (missed.waited, missed.spared) == (200.0, 0.0)


class Failing:
    """A Prometheus that remembers one failed request a second, for ever."""

    def query_range(self, promql: str, since: float, until: float, step: int) -> tuple[Series, ...]:  # noqa: ARG002
        """One sample at each step."""
        moments = range(int(since), int(until) + 1, step)
        return (Series({"deployment": "qrl"}, values=tuple((float(at), 1.0) for at in moments)),)


def test_a_long_incident_costs_all_that_failed() -> None:
    """It is asked in coarser steps, and a sample speaks for one of those."""
    replayer = Replayer(Failing(), "promtool", DecisionBounds(), lambda _: True)
    for hours in (1, 8, 24):
        cost = replayer.failed_requests(Span(0.0, 86_400.0, 1), [("qrl", 0.0, hours * 3600.0)])
        assert cost("qrl", 0.0, hours * 3600.0) == pytest.approx(hours * 3600, rel=0.01)


def test_gap_costs_nothing() -> None:
    """Where nothing was measured nothing is added up: a sample speaks for two steps at most."""
    assert FailedRequests(10, {"qrl": {0.0: 3.0, 1000.0: 3.0}})("qrl", 0.0, 1000.0) == 60.0


def test_cost_is_the_same_in_whichever_order_services_were_added_up() -> None:
    """A real Prometheus gave these of one moment, one after the other."""
    sums = (58.55555555555554, 58.55555555555555, 58.55555555555556)
    assert {FailedRequests(15, {"qrl": {0.0: one}})("qrl", 0.0, 15.0) for one in sums} == {878.333}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("incidents: []", "incidents: "),
        ("incidents: [{deployment: qrl, since: yesterday, until: 2026-11-30, rollback: true}]", "1: incidents.0.since"),
        ("incidents: [{deployment: qrl, since: 2026-11-30, until: 2026-11-29, rollback: true}]", "must not be before"),
        ("incidents: [{deployment: qrl, since: 2026-11-29, until: 2026-11-30, rollback: maybe}]", "true or false"),
    ],
)
def test_bad_reviews_are_told(content: str, why: str, tmp_path: Path) -> None:
    """A file of reviews that cannot be used says where and why."""
    path = tmp_path / "reviewed.yml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_reviewed(path)
    assert why in str(error.value)


def test_moments_are_utc_unless_they_say(tmp_path: Path) -> None:
    """A moment without a zone is UTC, one with a zone is what it says; YAML's own dates are moments too."""
    path = tmp_path / "reviewed.yml"
    path.write_text(
        "incidents: [{deployment: qrl, since: 2026-11-30, until: '2026-11-30T01:00:00+01:00', rollback: false}]"
    )
    (one,) = read_reviewed(path).incidents
    assert (one.since, one.until) == (DAY, DAY)
