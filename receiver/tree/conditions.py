"""Reads from the PromQL of a rule what it compares with what, and which alerts silence it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import eq, ge, gt, le, lt, ne

import promql_parser as promql

from receiver.tree.units import Unit, bare, is_scalar, unit_of

COMPARISONS: dict[str, Callable[[float, float], bool]] = {"==": eq, "!=": ne, ">": gt, "<": lt, ">=": ge, "<=": le}
_MIRRORED = {"==": "==", "!=": "!=", ">": "<", "<": ">", ">=": "<=", "<=": ">="}
LOGICAL = ("and", "or", "unless")


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison; `literal` where it is a number, `is_scalar` where it has no labels."""

    text: str
    unit: Unit
    literal: float | None = None
    is_scalar: bool = False

    @property
    def name(self) -> str:
        """Its text on one line."""
        return re.sub(r"(?<=\() | (?=\))", "", " ".join(self.text.split()))

    @property
    def query(self) -> str:
        """The query that gives its value; always an instant vector."""
        return f"vector({self.text})" if self.is_scalar else self.text


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison; a number in it is always on the right. `joined` is how it hangs on what stands before it."""

    left: Operand
    operator: str
    right: Operand
    joined: str = ""
    depth: int = 0
    opens: bool = True
    """Whether it stands first in its alternative, so that it says what the alternative is about."""
    guards: int = 0
    """How many of those that follow it must hold too: in `(x > 0) <= time()` the filter of its left side."""

    @property
    def unit(self) -> Unit:
        """The unit of both sides, since they are compared."""
        return self.right.unit if self.left.unit is Unit.NUMBER else self.left.unit


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a selector of alerts."""

    name: str
    operator: promql.MatchOp
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is meant."""
        text = labels.get(self.name, "")
        if self.operator in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
            return (text == self.value) is (self.operator == promql.MatchOp.Equal)
        return bool(re.fullmatch(self.value, text)) is (self.operator == promql.MatchOp.Re)


@dataclass(frozen=True, slots=True)
class Expression:
    """What was read: the comparisons in the order of the text, and the alerts that silence the rule, if any do."""

    conditions: tuple[Condition, ...]
    unsilenced: str | None = None
    """The same without those alerts; None where there are none."""
    silenced_by: tuple[tuple[Matcher, ...], ...] = ()

    def is_silenced_by(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels keeps the rule silent."""
        return any(all(matcher.matches(labels) for matcher in matchers) for matchers in self.silenced_by)


def read_expression(text: str) -> Expression:
    """The conditions of a rule's PromQL; raises ValueError where it cannot be parsed."""
    tree = promql.parse(text)
    heard, silencers = _without_silencers(tree)
    unsilenced = heard.prettify() if silencers else None
    return Expression(tuple(_conditions(heard, "", 0, True)), unsilenced, silencers)


def _conditions(node: promql.Expr, joined: str, depth: int, opens: bool) -> Iterator[Condition]:
    match node:
        case promql.BinaryExpr() if str(node.op) in LOGICAL:
            operator = str(node.op)
            yield from _conditions(node.lhs, joined, depth, opens)
            deeper = depth + (_is_logical(node.rhs) or operator == "unless")
            yield from _conditions(node.rhs, operator, deeper, opens and operator == "or")
        case promql.BinaryExpr() if str(node.op) in COMPARISONS:
            filters = [side for side in map(bare, (node.lhs, node.rhs)) if is_filter(side)]
            guards = [one for side in filters for one in _conditions(side, "and", depth, False)]
            yield replace(_condition(node), joined=joined, depth=depth, opens=opens, guards=len(guards))
            yield from guards
        case promql.ParenExpr() | promql.AggregateExpr():
            yield from _conditions(node.expr, joined, depth, opens)
        case promql.Call():
            for argument in node.args:
                yield from _conditions(argument, joined, depth, opens)
        case _:
            pass  # a selector or a number compares nothing


def _condition(node: promql.BinaryExpr) -> Condition:
    left, right, operator = operand(node.lhs), operand(node.rhs), str(node.op)
    if left.literal is not None or (left.is_scalar and not right.is_scalar):
        left, right, operator = right, left, _MIRRORED[operator]
    return Condition(left, operator, right)


def operand(node: promql.Expr) -> Operand:
    """One side of a comparison."""
    node = bare(node)
    if isinstance(node, promql.BinaryExpr) and is_filter(node):
        # What is compared is the value; where the filter leaves nothing, the value is still worth showing.
        return operand(node.lhs)
    return Operand(node.prettify(), unit_of(node), _literal(node), is_scalar(node))


def _is_logical(node: promql.Expr) -> bool:
    node = bare(node)
    return isinstance(node, promql.BinaryExpr) and str(node.op) in LOGICAL


def is_filter(node: promql.Expr) -> bool:
    """Whether it is a comparison that lets the values of its left side pass."""
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in COMPARISONS:
        return False
    return not (node.modifier and node.modifier.return_bool) and not is_scalar(node.lhs)


def _literal(node: promql.Expr) -> float | None:
    node = bare(node)
    if isinstance(node, promql.NumberLiteral):
        return node.val
    if isinstance(node, promql.UnaryExpr):
        inner = _literal(node.expr)
        return None if inner is None else -inner
    return None


def _without_silencers(node: promql.Expr) -> tuple[promql.Expr, tuple[tuple[Matcher, ...], ...]]:
    """What is left without each `unless ALERTS{...}` at the end, and the matchers of those."""
    if not isinstance(node, promql.BinaryExpr) or str(node.op) != "unless":
        return node, ()
    alerts = bare(node.rhs)
    if not isinstance(alerts, promql.VectorSelector) or alerts.name != "ALERTS":
        return node, ()
    heard, others = _without_silencers(bare(node.lhs))
    return heard, (tuple(Matcher(one.name, one.op, one.value) for one in alerts.matchers.matchers), *others)
