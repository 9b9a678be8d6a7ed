"""What would have changed a decision is found among the values that the tree compares, the nearest first."""

from __future__ import annotations

import pytest

from receiver.config import DecisionBounds
from receiver.explain.changes import nearest, pending
from receiver.prometheus_api import Series
from receiver.rules.groups import Alert, Group, Rule
from receiver.tree.snapshot import Snapshot
from tests.receiver.tree.builders import NOW, alert, branch, series

BOUNDS = DecisionBounds()
ERRORS = "service:http_request_errors:ratio_rate1m"
SILENT = 'unless on (deployment) ALERTS{alertstate="firing", branch!="", rank="1"}'


def high(*alerts: Alert) -> Rule:
    """More than 10 % of at least 60 requests."""
    return branch("high", 1, f"{ERRORS} > 0.10 and requests >= 60", *alerts)


def elevated(*alerts: Alert) -> Rule:
    """More than 5 % of at least 60 requests, put to a person."""
    expr = f"({ERRORS} > 0.05 and requests >= 60) {SILENT}"
    return branch("elevated", 2, expr, *alerts, confidence="0.70", duration=120.0)


def snapshot(*rules: Rule, **values: Series | tuple[Series, ...]) -> Snapshot:
    """The tree of these rules with what its queries gave."""
    given = {query.replace("errors", ERRORS): one for query, one in values.items()}
    found = {query: one if isinstance(one, tuple) else (one,) for query, one in given.items()}
    return Snapshot(NOW, "qrl", (Group("tree", rules, 10.0, NOW),), found)


def sentences(found: Snapshot, decided: str) -> list[str]:
    """What would have changed it."""
    return [one.sentence for one in nearest(found, decided, BOUNDS)]


def test_the_nearest_limit_stands_first() -> None:
    """At 7.9 % the step to 10 % is shorter than the one back to 5 %, and both are told with what would follow."""
    tree = snapshot(
        high(),
        elevated(alert("firing", 2, service="flask")),
        errors=series(0.079, service="flask"),
        requests=series(600, service="flask"),
    )
    assert sentences(tree, "elevated") == [
        f"{ERRORS} of flask was 7.9%: above 10%, high (rank 1) would have decided: a fast rollback",
        f"{ERRORS} of flask was 7.9%: at 5% or less, nothing would have fired",
        "requests of flask was 600: below 60, nothing would have fired",
    ]


def test_a_value_that_alone_changes_nothing_is_not_told() -> None:
    """With 12 % of too few requests it is the number of requests that is missing, and no other share helps."""
    watched = branch("watched", 3, "users > 0", alert("firing", 3), action="watch", level="", confidence="")
    tree = snapshot(high(), watched, errors=series(0.12), requests=series(45), users=series(5))

    assert sentences(tree, "watched")[0] == (
        "requests was 45: at 60 or more, high (rank 1) would have decided: a fast rollback"
    )
    assert not any(ERRORS in sentence for sentence in sentences(tree, "watched"))


def test_what_is_held_back_comes_forward() -> None:
    """Where the deciding branch falls away, the one that it kept silent decides."""
    tree = snapshot(high(alert("firing", 1)), elevated(), errors=series(0.11), requests=series(600))
    assert sentences(tree, "high")[0] == (
        f"{ERRORS} was 11%: at 10% or less, held for 0:02:00, elevated (rank 2) would have decided: "
        "a fast rollback, put to a person"
    )


def test_another_branch_with_the_same_outcome_is_no_change() -> None:
    """What is done is what counts, not by which branch."""
    down, many = branch("down", 1, "availability < 0.5"), branch("high", 2, f"{ERRORS} > 0.1", alert("firing", 2))
    tree = snapshot(down, many, errors=series(0.5), availability=series(0.6))

    assert sentences(tree, "high") == [f"{ERRORS} was 50%: at 10% or less, nothing would have fired"]


@pytest.mark.parametrize("value", [float("nan"), -float("inf")])
def test_what_is_no_number_is_no_step(value: float) -> None:
    """No traffic and infinity are no values from which anything is near."""
    tree = snapshot(
        branch("high", 1, f"{ERRORS} > 0.1"),
        branch("down", 2, "up < 1", alert("firing", 2)),
        errors=series(value),
        up=series(0),
    )
    assert sentences(tree, "down") == ["up was 0: at 1 or more, nothing would have fired"]


def test_a_tree_that_has_moved_on_says_nothing() -> None:
    """Where the tree as it was read no longer gives the decision, nothing is made up."""
    tree = snapshot(high(alert("firing", 1)), errors=series(0.2), requests=series(600))

    assert nearest(tree, "somebody_else", BOUNDS) == ()
    assert nearest(snapshot(high(), errors=series(0.01), requests=series(600)), "high", BOUNDS) == ()


def test_what_was_about_to_fire_is_told() -> None:
    """A branch whose wait was not over is told with the time that was left, and is no base of a change."""
    waits, fires = elevated(alert("pending", 2, since=NOW - 90)), branch("odd", 3, "odd > 1", alert("firing", 3))
    tree = snapshot(high(), waits, fires, errors=series(0.06), requests=series(70), odd=series(2))

    assert pending(tree) == ("elevated (rank 2) was pending and would have fired 0:00:30 later",)
    assert f"{ERRORS} was 6%: above 10%, high (rank 1)" not in "".join(sentences(tree, "odd"))
