"""The rules that are replayed: read from a file, changed by settings, and cut down to those that matter at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from configfile import ConfigError, parse_duration, printable
from receiver.backtest.settings import Setting, changed_rules
from receiver.tree.conditions import read_expression

ALERTS = "ALERTS"
_BY_THE_CALENDAR = re.compile(r"\b(timestamp|hour|minute|month|year|day_of_\w+|days_in_month)\s*\(")
_OFFSET = re.compile(r" offset -?\S+$")
_NOW = re.compile(r"\btime\(\s*\)")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule reads: selectors, and how far back from the moment of its evaluation (seconds)."""

    selectors: frozenset[str]
    reach: float


@dataclass(frozen=True, slots=True, eq=False)
class ReplayedRule:
    """One rule; `place` is its number in the file, `content` what stands there."""

    place: int
    group: str
    content: dict[str, Any]
    needs: Needs
    reads: frozenset[str]
    """The names of all that it selects, or patterns of them."""

    @property
    def branch(self) -> str:
        """The branch that it is, if it is one."""
        return str(self.content.get("labels", {}).get("branch", ""))

    @property
    def records(self) -> str:
        """The name of the series that it records, if it does."""
        return str(self.content.get("record", ""))

    @property
    def kept_for(self) -> float:
        """Seconds for which it may fire although its condition does not hold."""
        return parse_duration(self.content.get("keep_firing_for", "0s"))

    @property
    def condition(self) -> str:
        """A query that finds whatever the rule could be about, whichever alerts silence it; by deployment."""
        text = str(self.content["expr"])
        return f"group by (deployment) ({read_expression(text).unsilenced or text})"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one file, in its order."""

    rules: tuple[ReplayedRule, ...]

    @property
    def branches(self) -> tuple[ReplayedRule, ...]:
        """The alerts that are a branch."""
        return tuple(rule for rule in self.rules if rule.branch)

    def only(self, places: Collection[int]) -> RuleSet:
        """The rules of these places, and the recorded series that they read."""
        kept = set(places)
        while True:
            read = frozenset().union(*(rule.reads for rule in self.rules if rule.place in kept))
            more = {rule.place for rule in self.rules if _is_named(rule.records, read)} - kept
            if not more:
                return RuleSet(tuple(rule for rule in self.rules if rule.place in kept))
            kept |= more

    @property
    def reach(self) -> float:
        """Seconds before a moment at which the evaluation must have begun, so that it is right at that moment."""
        recording = sum(rule.needs.reach for rule in self.rules if rule.records)
        kept = max((rule.kept_for for rule in self.rules), default=0.0)
        return max((rule.needs.reach for rule in self.rules), default=0.0) + recording + kept

    @property
    def inputs(self) -> frozenset[str]:
        """The selectors of what is read; what these rules record themselves need not be taken from history."""
        return frozenset().union(*(rule.needs.selectors for rule in self.rules))

    @property
    def recorded(self) -> frozenset[str]:
        """The names of what these rules record."""
        return frozenset(rule.records for rule in self.rules if rule.records)

    def as_file(self, began: float) -> dict[str, Any]:
        """What promtool reads; its clock begins at 0, so `time()` is told that it began at that moment (Unix s)."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for rule in self.rules:
            expression = _NOW.sub(f"(time() + {began:.3f})", str(rule.content["expr"]))
            groups.setdefault(rule.group, []).append({**rule.content, "expr": expression})
        return {"groups": [{"name": name, "rules": rules} for name, rules in groups.items()]}


def read_rule_set(path: Path, settings: Sequence[Setting] = ()) -> RuleSet:
    """The rules of a file with these settings; raises ConfigError where it holds no branch, or none of a setting's."""
    try:
        groups = yaml.safe_load(path.read_text())["groups"]
        contents = [(group["name"], dict(rule)) for group in groups for rule in group["rules"]]
        contents = _with_settings(contents, settings)
        rules = RuleSet(tuple(_rule(place, name, content) for place, (name, content) in enumerate(contents)))
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else printable(" ".join(str(error).split()))
        raise ConfigError(f"{path}: cannot be replayed: {why}") from error
    if not rules.branches:
        raise ConfigError(f"{path}: has no rule with a label `branch`")
    return rules


def _with_settings(
    contents: list[tuple[str, dict[str, Any]]], settings: Sequence[Setting]
) -> list[tuple[str, dict[str, Any]]]:
    for setting in settings:
        changed = changed_rules(setting, [rule for _, rule in contents])
        if not any(changed):
            known = dict.fromkeys(filter(None, (_branch(rule) for _, rule in contents)))
            has_none = f"has no {setting.name} that is a number"
            what = has_none if setting.branch in known else f"is no branch; there are {', '.join(known)}"
            raise ConfigError(f"{setting}: {setting.branch} {what}")
        contents = [(name, new or rule) for (name, rule), new in zip(contents, changed, strict=True)]
    return contents


def _branch(rule: dict[str, Any]) -> str:
    return str(rule.get("labels", {}).get("branch", ""))


def _rule(place: int, group: str, content: dict[str, Any]) -> ReplayedRule:
    text = str(content["expr"])
    if found := _BY_THE_CALENDAR.search(text):
        raise ValueError(f"a rule uses {found[1]}(), and promtool's clock is not that of the history")
    tree = promql.parse(text)
    selectors = list(_selectors(tree, 0.0))
    if any(one.at for one, _ in selectors):
        raise ValueError("a rule uses @, and promtool's clock is not that of the history")
    needs = Needs(
        frozenset(_OFFSET.sub("", one.prettify()) for one, _ in selectors if one.name != ALERTS),
        max((reach for _, reach in selectors), default=0.0),
    )
    return ReplayedRule(place, group, content, needs, frozenset(_names(one for one, _ in selectors)))


def _selectors(node: promql.Expr, reach: float) -> Iterator[tuple[promql.VectorSelector, float]]:
    """Each selector, and how far back it is read."""
    match node:
        case promql.VectorSelector():
            yield node, reach + _seconds(node.offset)
        case promql.MatrixSelector():
            yield from _selectors(node.vector_selector, reach + _seconds(node.range))
        case promql.SubqueryExpr():
            yield from _selectors(node.expr, reach + _seconds(node.range) + _seconds(node.offset))
        case promql.BinaryExpr():
            yield from _selectors(node.lhs, reach)
            yield from _selectors(node.rhs, reach)
        case promql.Call():
            for argument in node.args:
                yield from _selectors(argument, reach)
        case promql.ParenExpr() | promql.AggregateExpr() | promql.UnaryExpr():
            yield from _selectors(node.expr, reach)
        case _:
            pass


def _seconds(period: Any) -> float:
    """Of a range or an offset; one into the future reaches nowhere back."""
    return 0.0 if period is None else max(float(period.total_seconds()), 0.0)


def _names(selectors: Iterable[promql.VectorSelector]) -> Iterator[str]:
    """The names that are selected; of a matcher on names, its pattern."""
    for selector in selectors:
        if selector.name:
            yield selector.name
        yield from (one.value for one in selector.matchers.matchers if one.name == "__name__")


def _is_named(name: str, patterns: Collection[str]) -> bool:
    return bool(name) and any(re.fullmatch(pattern, name) for pattern in patterns)
