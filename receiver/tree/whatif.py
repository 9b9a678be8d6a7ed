"""Says whether the expression of a rule holds, and whether it would with other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as promql

from receiver.prometheus_api import Series
from receiver.tree.branches import BranchRule, BranchState, DeploymentState, State
from receiver.tree.conditions import COMPARISONS, LOGICAL, is_filter, operand, read_expression
from receiver.tree.readings import SERVICE
from receiver.tree.units import bare

Known = Mapping[str, Mapping[str | None, float]]
"""What each query gives, by service; None for the deployment as a whole."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """Another value of one query, for a service or for the deployment as a whole."""

    query: str
    service: str | None
    value: float

    def among(self, known: Known) -> Known:
        """What is known, with this value in its place."""
        return {**known, self.query: {**known.get(self.query, {}), self.service: self.value}}


def known_from(values: Mapping[str, tuple[Series, ...]]) -> Known:
    """What the queries of a snapshot gave."""
    return {
        query: {one.metric.get(SERVICE): one.value[1] for one in found if one.value is not None}
        for query, found in values.items()
    }


def existences(text: str) -> list[str]:
    """The queries of which an expression that compares something only asks whether they give anything."""
    tree = _parsed(text)
    if tree is None or not read_expression(text).conditions:
        return []
    return list(dict.fromkeys(_existences(tree)))


def deciding(states: DeploymentState, known: Known, supposed: Supposed | None = None) -> BranchState | None:
    """The branch that decides; with another value, the one that would, once its wait was over.

    What fires goes on while it holds. What is pending stays so. What neither can be said of, since it compares
    nothing, stays as it is.
    """
    then = supposed.among(known) if supposed else known
    active: list[BranchState] = []
    for branch in states.branches:
        if branch.state is State.FIRING:
            ceases = holds(branch.rule, known) and not holds(branch.rule, then)
            is_active = not ceases
        else:
            is_active = branch.state is State.INACTIVE and holds(branch.rule, then) and not _is_silenced(branch, active)
        if is_active:
            active.append(branch)
    return min(active, key=lambda one: one.rule.precedence, default=None)


def holds(rule: BranchRule, known: Known) -> bool:
    """Whether the expression holds for the deployment or any service, whatever silences it."""
    tree = _parsed(rule.expression.unsilenced or rule.rule.query)
    if tree is None or not rule.expression.conditions:
        return False
    services = {service for found in known.values() for service in found} | {None}
    return any(_node_holds(tree, known, service) for service in services)


def _is_silenced(branch: BranchState, above: list[BranchState]) -> bool:
    expression = branch.rule.expression
    return any(expression.is_silenced_by(one.rule.rule.labels | {"alertstate": "firing"}) for one in above)


@lru_cache(maxsize=256)
def _parsed(text: str) -> promql.Expr | None:
    try:
        return promql.parse(text)
    except ValueError:
        return None


def _node_holds(node: promql.Expr, known: Known, service: str | None) -> bool:
    node = bare(node)
    match node:
        case promql.BinaryExpr() if str(node.op) in LOGICAL:
            return _joined_holds(node, known, service)
        case promql.BinaryExpr() if str(node.op) in COMPARISONS:
            return _comparison_holds(node, known, service)
        case promql.AggregateExpr() if _compares(node.expr):
            return _node_holds(node.expr, known, service)
        case promql.Call() if any(map(_compares, node.args)):
            return any(_node_holds(one, known, service) for one in node.args if _compares(one))
        case _:
            found = known.get(node.prettify(), {})
            return service in found or None in found


def _joined_holds(node: promql.BinaryExpr, known: Known, service: str | None) -> bool:
    left, right = _node_holds(node.lhs, known, service), _node_holds(node.rhs, known, service)
    if str(node.op) == "or":
        return left or right
    return left and (right if str(node.op) == "and" else not right)


def _comparison_holds(node: promql.BinaryExpr, known: Known, service: str | None) -> bool:
    left, right = _value(node.lhs, known, service), _value(node.rhs, known, service)
    if left is None or right is None or not COMPARISONS[str(node.op)](left, right):
        return False
    filters = [side for side in map(bare, (node.lhs, node.rhs)) if is_filter(side)]
    return all(_node_holds(one, known, service) for one in filters)


def _value(node: promql.Expr, known: Known, service: str | None) -> float | None:
    side = operand(node)
    if side.literal is not None:
        return side.literal
    found = known.get(side.query, {})
    return found.get(service, found.get(None))


def _compares(node: promql.Expr) -> bool:
    node = bare(node)
    match node:
        case promql.BinaryExpr():
            return str(node.op) in (*LOGICAL, *COMPARISONS) or _compares(node.lhs) or _compares(node.rhs)
        case promql.AggregateExpr():
            return _compares(node.expr)
        case promql.Call():
            return any(map(_compares, node.args))
        case _:
            return False


def _existences(node: promql.Expr) -> Iterator[str]:
    node = bare(node)
    match node:
        case promql.BinaryExpr() if str(node.op) in LOGICAL:
            yield from _existences(node.lhs)
            yield from _existences(node.rhs)
        case promql.BinaryExpr() if str(node.op) in COMPARISONS:
            for side in map(bare, (node.lhs, node.rhs)):
                if is_filter(side):
                    yield from _existences(side)
        case promql.AggregateExpr() if _compares(node.expr):
            yield from _existences(node.expr)
        case promql.Call() if any(map(_compares, node.args)):
            for one in node.args:
                if _compares(one):
                    yield from _existences(one)
        case promql.VectorSelector() if node.name == "ALERTS":
            pass  # who silences a branch is told by the branches
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            yield node.prettify()
