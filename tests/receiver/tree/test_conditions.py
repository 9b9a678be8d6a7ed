"""What is read from the PromQL of a rule."""

from __future__ import annotations

import pytest

from receiver.rules.files import SHIPPED, TREE, read_rule_files
from receiver.tree.conditions import Condition, Expression, read_expression
from receiver.tree.units import Unit


def written(condition: Condition) -> str:
    """A condition on one line, as the text says it."""
    joined = f"{condition.joined} " if condition.joined else ""
    return f"{'  ' * condition.depth}{joined}{condition.left.name} {condition.operator} {condition.right.name}"


def lines(expression: Expression) -> list[str]:
    return [written(one) for one in expression.conditions]


@pytest.mark.parametrize(
    ("promql", "read"),
    [
        ("x:ratio < 0.5", ["x:ratio < 0.5"]),
        ("0.5 > x:ratio", ["x:ratio < 0.5"]),
        ("-1 <= x", ["x >= -1"]),
        ("(a offset 5m) > 1.25 * (a offset 10m)", ["a offset 5m > 1.25 * (a offset 10m)"]),
        ("time() > deadline", ["deadline < time()"]),
        ("a * 300 >= 60 and on (deployment) b == 1", ["a * 300 >= 60", "and b == 1"]),
        ("a > 1 or (b > 2 and c > 3)", ["a > 1", "  or b > 2", "  and c > 3"]),
        ("a > 1 unless b > 2", ["a > 1", "  unless b > 2"]),
        ("max by (deployment) (a) == 1", ["max by (deployment) (a) == 1"]),
        ("max by (deployment) (a > 1)", ["a > 1"]),
        ('label_replace(a > 1, "x", "", "", "")', ["a > 1"]),
        ("(a > 0) <= time()", ["a <= time()", "and a > 0"]),
        ("(a > bool 1) == 1", ["a > bool 1 == 1"]),
        ("quantile_over_time(0.1, a[15m]) > 0.001", ["quantile_over_time(0.1, a[15m]) > 0.001"]),
        ("absent(a) or b", []),
    ],
)
def test_every_comparison_is_a_condition(promql: str, read: list[str]) -> None:
    """Each comparison stands with a number or a scalar on the right, and says how it hangs on those before it."""
    assert lines(read_expression(promql)) == read


def test_what_opens_an_alternative_is_told() -> None:
    """The first condition and the first after each `or` say what an alternative is about; the others qualify it."""
    expression = read_expression("(a > 1 and b > 2) or (c > 3 unless (d > 4 or e > 5))")
    assert [(one.left.name, one.opens) for one in expression.conditions] == [
        ("a", True),
        ("b", False),
        ("c", True),
        ("d", False),
        ("e", False),
    ]


def test_a_scalar_is_asked_for_as_a_vector() -> None:
    """Only vectors can be put into one query, so a scalar is made one; a plain number needs no query."""
    ((number,), (now,)) = (read_expression(text).conditions for text in ("x > 1", "x > time()"))
    assert (number.right.literal, now.right.literal, now.right.query) == (1.0, None, "vector(time())")


def test_silencers_are_taken_from_the_end() -> None:
    """Each `unless ALERTS` at the end is told by its matchers, and the rest of the expression is what it silences."""
    first, second = 'ALERTS{rank=~"[1-9]|10"}', 'ALERTS{rank!="3",alertstate!~"p.+"}'
    expression = read_expression(f"a > 1 unless on (deployment) {first} unless on (deployment) {second}")
    assert expression.unsilenced == "a > 1"
    silences = {rank: expression.is_silenced_by({"rank": rank, "alertstate": "firing"}) for rank in ("1", "10", "11")}
    assert silences == {"1": True, "10": True, "11": True}
    assert not expression.is_silenced_by({"rank": "11", "alertstate": "pending"})
    assert read_expression("a > 1 unless b > 2").unsilenced is None


def test_what_cannot_be_parsed_is_an_error() -> None:
    """A newer PromQL than the parser knows is a ValueError, not a wrong tree."""
    with pytest.raises(ValueError, match="no_such_function"):
        read_expression("no_such_function(x) > 1")


def test_the_shipped_tree_is_read_as_it_is_written() -> None:
    """Every rule of the shipped tree but the one that looks for what is missing compares something."""
    (tree,) = (file for file in read_rule_files(SHIPPED) if file.name == TREE)
    read = {rule.name: read_expression(rule.query) for group in tree.groups for rule in group.rules}
    assert [name for name, expression in read.items() if not expression.conditions] == ["SignalsMissing"]
    unsilenced = [name for name, expression in read.items() if not expression.unsilenced]
    assert unsilenced == ["ServiceDown", "deployment:beyond_threshold:bool", "SignalsMissing"]
    assert lines(read["HighErrorRate"]) == [
        "service:http_request_errors:ratio_rate1m > 0.1",
        "and service:http_requests:rate1m * 60 >= 60",
        "  or service:http_request_errors:ratio_rate5m > 0.1",
        "  and service:http_requests:rate5m * 300 >= 60",
        "    unless service:http_request_errors:ratio_rate1m <= 0.05",
        "    and service:http_requests:rate1m * 60 >= 60",
    ]


@pytest.mark.parametrize(
    ("promql", "unit"),
    [
        ("deployment:availability:ratio < 0.5", Unit.RATIO),
        ("service:http_request_errors:ratio_rate1m > 0.1", Unit.RATIO),
        ("x:ratio > 1.25 * (x:ratio offset 10m)", Unit.RATIO),
        ("x:ratio - x:ratio offset 10m > 3 * sqrt(x:ratio / y:count5m)", Unit.RATIO),
        ("x:ratio * y:count5m > 2.5", Unit.NUMBER),
        ("service:http_requests:rate5m * 300 >= 60", Unit.NUMBER),
        ("service:http_request_duration_seconds:mean5m > 0.1", Unit.SECONDS),
        ("deployment:release_age:seconds < 3600", Unit.SECONDS),
        ("time() - x_timestamp_seconds > 300", Unit.SECONDS),
        ("max by (deployment) (x_timestamp_seconds) > time()", Unit.TIMESTAMP),
        ("time() > x", Unit.TIMESTAMP),
        ("quantile_over_time(0.1, x:ratio[15m]) > 0.001", Unit.RATIO),
        ("max_over_time((x:ratio > 0)[1d:5m]) > 0.1", Unit.NUMBER),
        ("count by (deployment) (x:ratio) > 3", Unit.NUMBER),
        ("rate(x_seconds_sum[5m]) > 3", Unit.NUMBER),
        ("-x:ratio < 3", Unit.RATIO),
    ],
)
def test_the_unit_is_told_by_names_and_arithmetic(promql: str, unit: Unit) -> None:
    """Both sides of a comparison have the unit of whichever tells it."""
    assert read_expression(promql).conditions[0].unit is unit
