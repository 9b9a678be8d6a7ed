"""Finds in a parsed expression what no run of it shows: a metric that nobody exposes only compares to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import promql_parser as promql

Labels = frozenset[str] | None
"""The labels that a metric can have; None where they are the user's to choose."""

OF_A_TARGET = {"instance", "job"}
GUARDS = {
    "service:http_request_errors:ratio_rate1m": "service:http_requests:rate1m",
    "service:http_request_errors:ratio_rate5m": "service:http_requests:rate5m",
    "service:http_request_duration_seconds:mean5m": "service:http_requests:rate5m",
    "deployment:users_affected:ratio": "deployment:users:count5m",
}
"""Signals that say little of few requests or users, and the signal that counts these. A ratio of checks needs none."""
MORE_THAN, LESS_THAN = (">", ">="), ("<", "<=")


def unknown(text: str, metrics: Mapping[str, Labels]) -> Iterator[str]:
    """Selectors of a metric that is none of these, or of a label that it does not have."""
    for selector in selectors(promql.parse(text)):
        known = [name for name in named_by(selector, metrics) if name in metrics]
        if not known:
            yield f"nobody exposes {selector.prettify()}"
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name != "__name__" and not any(has(metrics[name], matcher.name) for name in known):
                yield f"{selector.prettify()}: there is no label {matcher.name}"


def has(labels: Labels, label: str) -> bool:
    return labels is None or label in labels | OF_A_TARGET


def named_by(selector: promql.VectorSelector, names: Mapping[str, Labels]) -> list[str]:
    """The metrics of a selector: the one that it names, or all of `names` that its pattern fits."""
    if selector.name:
        return [selector.name]
    patterns = [matcher.value for matcher in selector.matchers.matchers if matcher.name == "__name__"]
    return [name for name in names if any(re.fullmatch(pattern, name) for pattern in patterns)]


def nodes(expression: promql.Expr) -> list[promql.Expr]:
    """Every node of an expression."""
    found: list[promql.Expr] = []
    promql.walk(expression, found.append)
    return found


def selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    """Every selector, those with a range included."""
    return [node for node in nodes(expression) if isinstance(node, promql.VectorSelector)]


def windows(text: str) -> Iterator[str]:
    """Ranges that hold two samples at the shipped interval, and subqueries that look more than a few times."""
    for node in nodes(promql.parse(text)):
        if isinstance(node, promql.MatrixSelector) and node.range < timedelta(minutes=1):
            yield f"{node.prettify()}: a range of less than a minute may hold no two samples"
        if isinstance(node, promql.SubqueryExpr) and (node.step is None or node.range < 10 * node.step):
            yield f"{node.prettify()}: versions differ in the first and last step, so there must be many"


def mixed(text: str, metrics: Mapping[str, Labels]) -> Iterator[str]:
    """Aggregations of what has a deployment over all deployments; what is wrong with one must not speak for another."""
    for node in nodes(promql.parse(text)):
        if isinstance(node, promql.AggregateExpr):
            if not any(has(metrics.get(selector.name), "deployment") for selector in selectors(node)):
                continue
            by = node.modifier
            keeps = by is not None and (("deployment" in by.labels) == (by.type == promql.AggModifierType.By))
            if not keeps:
                yield f"{node.prettify()}: deployments mix"


def uneven(text: str) -> Iterator[str]:
    """Divisions of sums that are not over the same labels."""
    for node in nodes(promql.parse(text)):
        if isinstance(node, promql.BinaryExpr) and str(node.op) == "/":
            over = [
                {
                    tuple(sorted(inner.modifier.labels))
                    for inner in nodes(side)
                    if isinstance(inner, promql.AggregateExpr)
                }
                for side in (node.lhs, node.rhs)
            ]
            if all(over) and over[0] != over[1]:
                yield f"{node.prettify()}: {over[0]} over {over[1]}"


def unguarded(text: str) -> Iterator[str]:
    """Comparisons of a share or a mean, and divisions, without a minimum of what it was taken from beside them."""
    yield from _unguarded(promql.parse(text), frozenset())


def _unguarded(node: promql.Expr, guards: frozenset[str]) -> Iterator[str]:
    match node:
        case promql.ParenExpr():
            yield from _unguarded(node.expr, guards)
        case promql.BinaryExpr() if str(node.op) == "and":
            yield from _unguarded(node.lhs, guards | minima(node.rhs))
            yield from _unguarded(node.rhs, guards | minima(node.lhs))
        case promql.BinaryExpr() if str(node.op) == "or":
            yield from _unguarded(node.lhs, guards)
            yield from _unguarded(node.rhs, guards)
        case promql.BinaryExpr() if str(node.op) == "unless":
            yield from _unguarded(node.lhs, guards)
            yield from _unguarded(node.rhs, frozenset())
        case promql.BinaryExpr() if str(node.op) in MORE_THAN + LESS_THAN:
            needed = {GUARDS[selector.name] for selector in selectors(node) if selector.name in GUARDS}
            needed |= {selector.name for selector in denominators(node)}
            yield from (f"{node.prettify()}: no minimum of {name}" for name in sorted(needed - guards))
        case _:
            pass


def minima(node: promql.Expr) -> frozenset[str]:
    """The signals that are at least something wherever this holds."""
    match node:
        case promql.ParenExpr():
            return minima(node.expr)
        case promql.BinaryExpr() if str(node.op) == "and":
            return minima(node.lhs) | minima(node.rhs)
        case promql.BinaryExpr() if str(node.op) == "or":
            return minima(node.lhs) & minima(node.rhs)
        case promql.BinaryExpr() if str(node.op) == "unless":
            return minima(node.lhs)
        case promql.BinaryExpr() if str(node.op) in MORE_THAN and isinstance(node.rhs, promql.NumberLiteral):
            counted = frozenset(selector.name for selector in selectors(node.lhs)) & set(GUARDS.values())
            return counted if node.rhs.val > 0 else frozenset()
        case _:
            return frozenset()


def denominators(node: promql.Expr) -> list[promql.VectorSelector]:
    """What is divided by, besides literals."""
    divisions = [inner for inner in nodes(node) if isinstance(inner, promql.BinaryExpr) and str(inner.op) == "/"]
    return [selector for division in divisions for selector in selectors(division.rhs)]
