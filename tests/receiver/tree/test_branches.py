"""Rules, alerts and values become the tree of each deployment."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from receiver.prometheus_api import Series
from receiver.tree.branches import State, queries
from tests.receiver.tree.builders import NOW, alert, branch, only_branch, rules_of, series, tree


def test_branches_stand_in_the_order_of_their_ranks() -> None:
    """The lowest rank stands first, two of one rank as they are evaluated, and one without a number last."""
    no_branch = branch("", 1, "x > 1")
    read = rules_of(
        branch("ten", 10, "x > 1"), branch("odd", "first", "x > 1"), no_branch,
        branch("two", 2, "x > 1", action="watch"), branch("two", 2, "x > 2", action="ask"),
    )  # fmt: skip
    assert [(one.branch, one.rank, one.action) for one in read] == [
        ("two", 2, "watch"),
        ("two", 2, "ask"),
        ("ten", 10, "rollback"),
        ("odd", None, "rollback"),
    ]


def test_each_query_is_asked_once() -> None:
    """Sides that several branches compare are one query, numbers are none, and a silenced expression is one more."""
    read = rules_of(
        branch("a", 1, "x > 1 and y * 60 > 5"),
        branch("b", 2, 'x > 3 unless on (deployment) ALERTS{rank="1"}'),
        branch("c", 3, "deadline > time()"),
    )
    assert queries(read) == ["x", "y * 60", "deadline", "vector(time())", "x > 3"]


def test_an_inactive_branch_shows_its_worst_service() -> None:
    """Without an alert nothing is due; the value is that of the service that is nearest to the threshold."""
    one = only_branch(branch("a", 1, "x > 0.5"), x=(series(0.1, service="a"), series(0.4, service="b")))
    assert (one.state, one.since, one.fires_at, one.service) == (State.INACTIVE, None, None, "b")
    assert one.deciding is not None
    assert [(r.service, r.value, r.threshold, r.holds) for r in one.deciding.readings] == [
        ("b", 0.4, 0.5, False),
        ("a", 0.1, 0.5, False),
    ]


@pytest.mark.parametrize(
    ("comparison", "worst"),
    [("> 2", 3.0), (">= 2", 3.0), ("< 2", 1.0), ("<= 2", 1.0), ("== 2", 2.0), ("!= 0.5", 3.0)],
)
def test_the_worst_is_what_is_farthest_beyond(comparison: str, worst: float) -> None:
    """Beyond means above for `>`, below for `<`, equal for `==`, and far away for `!=`; NaN is never the worst."""
    values = tuple(series(value, service=f"s{value}") for value in (math.nan, 1, 2, 3))
    one = only_branch(branch("a", 1, f"x {comparison}"), x=values)
    assert one.deciding is not None
    assert one.deciding.readings[0].value == worst


def test_a_pending_branch_tells_when_it_fires() -> None:
    """It is pending since its condition became true, and fires when its `for` is over."""
    one = only_branch(branch("a", 1, "x > 0", alert("pending", since=NOW - 5), duration=20.0), x=series(1))
    assert (one.state, one.since, one.fires_at) == (State.PENDING, NOW - 5, NOW + 15)


def test_a_firing_branch_tells_since_when() -> None:
    """It fires since its `for` was over; of several alerts the oldest counts, and pending ones do not."""
    alerts = (
        alert("firing", since=NOW - 50, service="a"),
        alert("firing", since=NOW - 90, service="c"),
        alert("pending", since=NOW - 5, service="b"),
        alert("firing", since=NOW - 999, deployment="another"),
    )
    one = only_branch(
        branch("a", 1, "x > 0", *alerts, duration=20.0), x=(series(9, service="b"), series(1, service="c"))
    )
    assert (one.state, one.since, one.fires_at) == (State.FIRING, NOW - 70, None)
    assert (one.services, one.series, one.service) == (("a", "c"), 2, "c")


def test_the_first_alternative_that_holds_decides() -> None:
    """A deployment that is half down is shown by that, and not by the first alternative, which does not hold."""
    rule = branch("down", 1, "service == 0 or ratio < 0.5")
    held = only_branch(rule, service=series(1, service="a"), ratio=series(0.3)).deciding
    healthy = only_branch(rule, service=series(1, service="a"), ratio=series(1)).deciding
    assert held is not None
    assert healthy is not None
    assert (held.condition.left.name, healthy.condition.left.name) == ("ratio", "service")


def test_both_sides_are_matched_by_service() -> None:
    """Where the threshold is a series too, each service is compared with its own, or with the deployment's."""
    now = (series(4, service="a"), series(4, service="b"))
    day = (series(3, service="a"), series(9, service="b"))
    one = only_branch(branch("slow", 1, "now > 3 * day"), **{"now": now, "3 * day": day})
    assert one.deciding is not None
    assert [(r.service, r.threshold, r.holds) for r in one.deciding.readings] == [("a", 3, True), ("b", 9, False)]
    one = only_branch(branch("late", 1, "x > limit"), x=series(4, service="a"), limit=series(3))
    assert [r.threshold for r in one.measured[0].readings] == [3]


def test_a_scalar_is_compared_with_every_deployment() -> None:
    """What has no labels is the same for all."""
    values = {"x": series(5), "vector(time())": Series({}, value=(NOW, 4.0))}
    one = only_branch(branch("late", 1, "x > time()"), **values)
    assert [(r.threshold, r.holds) for r in one.measured[0].readings] == [(4.0, True)]


def test_no_data_is_no_reading() -> None:
    """A side without a series is no value and no threshold, and nothing holds."""
    one = only_branch(branch("a", 1, "x > 0 or y > z"), y=series(1))
    assert [(m.readings == (), m.holds) for m in one.measured] == [(True, False), (False, False)]
    assert one.measured[1].readings[0].threshold is None


def test_nan_holds_nothing() -> None:
    """NaN is a value that compares with nothing."""
    one = only_branch(branch("a", 1, "x > 0"), x=series(math.nan))
    assert not one.measured[0].holds
    assert math.isnan(one.measured[0].readings[0].value)


def test_a_filtered_value_counts_only_with_its_filter() -> None:
    """A deadline of 0 says that there is none: it is before now, and yet nothing holds."""
    rule = branch("late", 1, "(deadline > 0) <= time()")
    now = {"vector(time())": Series({}, value=(NOW, NOW))}
    assert not only_branch(rule, deadline=series(0), **now).measured[0].holds
    assert only_branch(rule, deadline=series(NOW - 5), **now).measured[0].holds


SILENT = 'x > 0.05 unless on (deployment) ALERTS{alertstate="firing",rank="2"}'


@pytest.mark.parametrize(
    ("state", "rank", "given", "held_back_by"),
    [
        ("firing", 2, series(0.3), 2),
        ("pending", 2, series(0.3), None),
        ("firing", 3, series(0.3), None),
        ("firing", 2, None, None),
    ],
)
def test_who_keeps_a_branch_silent_is_told(
    state: str, rank: int, given: Series | None, held_back_by: int | None
) -> None:
    """A branch is held back where the rest of its expression gives something and an alert that it names fires."""
    higher = branch("high", rank, "x > 0.1", alert(state, rank))
    given_values = {"x": series(0.3)} | ({"x > 0.05": given} if given else {})
    found = tree(higher, branch("elevated", 10, SILENT), **given_values)
    assert [one.held_back_by for one in found[0].branches] == [None, held_back_by]


def test_an_alert_of_another_deployment_keeps_nobody_silent() -> None:
    """Precedence is within a deployment."""
    higher = branch("high", 2, "x > 0.1", alert("firing", 2, "another"))
    own, other = tree(higher, branch("elevated", 10, SILENT), **{"x > 0.05": series(0.3)})
    assert (own.name, own.branches[1].held_back_by, other.name) == ("qrl", None, "another")


def test_configured_deployments_come_first_and_all_are_shown() -> None:
    """Those of the configuration keep their order, those that only Prometheus knows follow; who is unknown says so."""
    found = tree(
        branch("a", 1, "x > 0", alert("firing", 1, "fires")),
        x=(series(1, "seen"), series(1, "b")),
        configured=("b", "a"),
    )
    assert [(one.name, one.is_configured, one.is_known) for one in found] == [
        ("b", True, True),
        ("a", True, False),
        ("fires", False, True),
        ("seen", False, True),
    ]


@pytest.mark.parametrize("missed", [29.0, 31.0])
def test_a_rule_that_is_not_evaluated_has_no_state(missed: float) -> None:
    """After three missed evaluations the state that a rule was left in is not shown as if it were one."""
    rule = branch("a", 1, "x > 0", alert("firing"))
    (read,) = rules_of(rule, evaluated=NOW - missed)
    assert bool(read.fault) is (missed > 30)
    (failed,) = rules_of(replace(rule, health="err", last_error="found duplicate series"))
    assert failed.fault == "found duplicate series"


def test_a_failing_rule_is_unknown() -> None:
    """A rule that cannot be evaluated neither fires nor is inactive."""
    rule = replace(branch("a", 1, "x > 0", alert("firing")), health="err", last_error="no")
    one = only_branch(rule, x=series(1))
    assert (one.state, one.since, one.series) == (State.UNKNOWN, None, 0)


def test_an_expression_that_cannot_be_parsed_still_has_a_state() -> None:
    """What the parser does not know yet is shown without conditions, and with the state that Prometheus tells."""
    one = only_branch(branch("new", 1, "limitk_of_tomorrow(x) > 0", alert("firing")))
    assert (one.state, one.measured, one.deciding) == (State.FIRING, (), None)


def test_what_fires_is_most_urgent() -> None:
    """Firing comes before pending, lower ranks before higher ones, and quiet last."""
    found = tree(
        branch("one", 1, "x > 0", alert("pending", 1, "waits"), alert("firing", 1, "worst")),
        branch("two", 2, "x > 0", alert("firing", 2, "bad")),
        x=series(0, "quiet"), configured=(),
    )  # fmt: skip
    assert [one.name for one in sorted(found, key=lambda one: one.urgency)] == ["worst", "bad", "waits", "quiet"]
