"""Tells what a PromQL expression measures by the names in it, and writes such values for people."""

from __future__ import annotations

import math
import re
from enum import StrEnum

import promql_parser as promql

from receiver.durations import clock_time, in_words

_SUMS = ("+", "-")
_OF_ANOTHER_UNIT = (
    "rate",
    "irate",
    "increase",
    "changes",
    "resets",
    "sqrt",
    "count_over_time",
    "absent",
    "absent_over_time",
)
"""Functions whose value has another unit than what they are given."""


class Unit(StrEnum):
    """What a value measures."""

    NUMBER = "number"
    RATIO = "ratio"
    SECONDS = "seconds"
    TIMESTAMP = "timestamp"


def in_unit(value: float, unit: Unit, digits: int = 3) -> str:
    """A value as a person would write it: 0.0312 of a ratio is `3.12%`, 190 seconds are `0:03:10`."""
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    match unit:
        case Unit.RATIO:
            return f"{_rounded(value * 100, digits)}%"
        case Unit.TIMESTAMP:
            return clock_time(value).split(" ")[1] if value > 0 else "none"
        case Unit.SECONDS if abs(value) >= 60:
            return in_words(value)
        case Unit.SECONDS:
            return f"{_rounded(value, digits)} s"
        case Unit.NUMBER:
            return _rounded(value, digits)


def _rounded(value: float, digits: int) -> str:
    """Without the exponents that `:g` has for what is large or small."""
    if value == 0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bare(node: promql.Expr) -> promql.Expr:
    """The expression without the parentheses around it."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def is_scalar(node: promql.Expr) -> bool:
    """Whether it is one number without labels, in PromQL's sense."""
    match bare(node):
        case promql.NumberLiteral():
            return True
        case promql.Call() as call:
            return bool(call.func.return_type == promql.ValueType.Scalar)
        case promql.UnaryExpr() as unary:
            return is_scalar(unary.expr)
        case promql.BinaryExpr() as binary:
            return is_scalar(binary.lhs) and is_scalar(binary.rhs)
        case _:
            return False


def unit_of(node: promql.Expr) -> Unit:
    """The unit, as far as names and arithmetic tell it."""
    match bare(node):
        case promql.VectorSelector() as selector:
            return _unit_of_name(selector.name or "")
        case promql.MatrixSelector() as matrix:
            return unit_of(matrix.vector_selector)
        case promql.SubqueryExpr() | promql.UnaryExpr() | promql.AggregateExpr() as outer:
            is_count = isinstance(outer, promql.AggregateExpr) and str(outer.op) in ("count", "group")
            return Unit.NUMBER if is_count else unit_of(outer.expr)
        case promql.Call() as call:
            return _unit_of_call(call)
        case promql.BinaryExpr() as binary:
            return _unit_of_arithmetic(str(binary.op), binary.lhs, binary.rhs)
        case _:
            return Unit.NUMBER


def _unit_of_name(name: str) -> Unit:
    words = re.split(r"[:_]", name)
    if "seconds" in words:
        return Unit.TIMESTAMP if "timestamp" in words else Unit.SECONDS
    return Unit.RATIO if "ratio" in words else Unit.NUMBER


def _unit_of_call(call: promql.Call) -> Unit:
    if call.func.name == "time":
        return Unit.TIMESTAMP
    if call.func.name in _OF_ANOTHER_UNIT:
        return Unit.NUMBER
    units = {unit_of(argument) for argument in call.args} - {Unit.NUMBER}
    return units.pop() if len(units) == 1 else Unit.NUMBER


def _unit_of_arithmetic(operator: str, left: promql.Expr, right: promql.Expr) -> Unit:
    units = unit_of(left), unit_of(right)
    if operator in _SUMS and units == (Unit.TIMESTAMP, Unit.TIMESTAMP):
        return Unit.SECONDS
    if operator in _SUMS and units[0] is units[1]:
        return units[0]
    if operator in ("*", "/") and is_scalar(right):
        return units[0]
    return units[1] if operator == "*" and is_scalar(left) else Unit.NUMBER
