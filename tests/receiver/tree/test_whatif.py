"""Whether an expression holds is told from the values that were read, as Prometheus would tell it."""

from __future__ import annotations

import pytest

from receiver.tree.whatif import Supposed, existences, holds, known_from
from tests.receiver.tree.builders import branch, rules_of, series


def does_hold(expr: str, **values: float | None) -> bool:
    """Whether it holds; `flask_errors=1` is the value of `errors` for the service flask."""
    known = {}
    for name, value in values.items():
        service, _, query = name.rpartition("_")
        labels = {"service": service} if service else {}
        known[query] = (series(value, **labels),) if value is not None else ()
    return holds(rules_of(branch("x", 1, expr))[0], known_from(known))


@pytest.mark.parametrize(
    ("expr", "values", "expected"),
    [
        ("a > 1", {"a": 2.0}, True),
        ("a > 1", {"a": 1.0}, False),
        ("a > 1", {"a": None}, False),
        ("1 < a", {"a": 2.0}, True),
        ("a > 1", {"a": float("nan")}, False),
        ("a > 1 and b > 1", {"a": 2.0, "b": 0.0}, False),
        ("a > 1 or b > 1", {"a": 2.0, "b": 0.0}, True),
        ("a > 1 unless b > 1", {"a": 2.0, "b": 0.0}, True),
        ("a > 1 unless b > 1", {"a": 2.0, "b": 2.0}, False),
        ("(a > 1 or b > 1) and c > 1", {"a": 2.0, "b": 0.0, "c": 0.0}, False),
        ("a > 1 unless b", {"a": 2.0, "b": 0.0}, False),
        ("a > 1 unless b", {"a": 2.0}, True),
        ("(a > 0) <= 5", {"a": 3.0}, True),
        ("(a > 0) <= 5", {"a": -3.0}, False),
        ("max by (deployment) (a > 1)", {"a": 2.0}, True),
        ('label_replace(a > 1, "x", "y", "", "")', {"a": 0.0}, False),
        ("flask_a > 1", {"flask_flask_a": 2.0}, False),
        ("a > 1 and b > 1", {"flask_a": 2.0, "flask_b": 2.0}, True),
        ("a > 1 and b > 1", {"flask_a": 2.0, "gradio_b": 2.0}, False),
        ("a > 1 and on (deployment) b > 1", {"flask_a": 2.0, "b": 2.0}, True),
        ("a", {"a": 1.0}, False),
    ],
)
def test_it_holds_as_promql_does(expr: str, values: dict[str, float | None], expected: bool) -> None:
    """Comparisons, filters, sets and missing values; a service is matched with itself, and with the deployment."""
    assert does_hold(expr, **values) is expected


def test_who_silences_it_does_not_count() -> None:
    """Whether it holds is asked without the alerts that keep it silent; precedence is another question."""
    assert does_hold('a > 1 unless on (deployment) ALERTS{rank="1"}', a=2.0)


def test_another_value_takes_the_place_of_one() -> None:
    """Only that of the query and the service that are meant."""
    known = known_from({"a": (series(1.0, service="flask"), series(1.0, service="gradio"))})
    rule = rules_of(branch("x", 1, "a > 1"))[0]

    assert not holds(rule, known)
    assert holds(rule, Supposed("a", "flask", 2.0).among(known))
    assert known == {"a": {"flask": 1.0, "gradio": 1.0}}


def test_what_is_only_asked_for_is_named() -> None:
    """What need only exist is asked for; alerts, what is compared, and rules that compare nothing are not."""
    text = '(a > 1 unless (present_over_time(b[5m]) unless b)) unless ALERTS{x="y"}'
    assert existences(text) == ["present_over_time(b[5m])", "b"]
    assert existences("present_over_time(b[5m]) unless b") == []
    assert existences("this is none") == []
