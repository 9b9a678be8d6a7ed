"""Reads from the shipped rules what an alert compares a signal with, and where its runbook is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from receiver.tree.conditions import Condition, read_expression

RULES = Path(__file__).parents[1] / "alert-rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert as it is shipped."""

    name: str
    expression: str
    labels: dict[str, str]
    runbook: str

    @property
    def demand(self) -> str:
        """What a branch asks for, as `tree` writes it: `rollback fast 0.99`; empty where it is no branch."""
        return " ".join(self.labels[name] for name in ("action", "level", "confidence") if name in self.labels)


@dataclass(frozen=True, slots=True)
class Limit:
    """The number that an alert compares a signal with."""

    rule: Rule
    operator: str
    number: float


@cache
def rules() -> tuple[Rule, ...]:
    """Every shipped alert in the order of the files; one that is there twice as it stands first."""
    found: dict[str, Rule] = {}
    for file in sorted(RULES.glob("*.rules.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for one in group["rules"]:
                if name := one.get("alert"):
                    found.setdefault(name, Rule(name, one["expr"], one["labels"], one["annotations"]["runbook_url"]))
    return tuple(found.values())


def branches() -> tuple[Rule, ...]:
    """The alerts that are a branch of the tree, lowest rank first."""
    return tuple(sorted((one for one in rules() if "branch" in one.labels), key=lambda one: int(one.labels["rank"])))


def rule(alert: str) -> Rule:
    """The rule of an alert; LookupError where none is shipped."""
    for one in rules():
        if one.name == alert:
            return one
    raise LookupError(f"no rule in {RULES} is the alert {alert}")


def limit(alert: str, signal: str) -> Limit:
    """The first number that an alert compares a signal with; LookupError where there is none."""
    for condition in _comparisons(alert, signal):
        if condition.right.literal is not None:
            return Limit(rule(alert), condition.operator, condition.right.literal)
    raise LookupError(f"the alert {alert} compares {signal} with no number")


def reference(alert: str, signal: str) -> str:
    """The first PromQL that an alert compares a signal with; LookupError where there is none."""
    for condition in _comparisons(alert, signal):
        if condition.right.literal is None:
            return condition.right.name
    raise LookupError(f"the alert {alert} compares {signal} with numbers only")


def _comparisons(alert: str, signal: str) -> Iterator[Condition]:
    return (one for one in read_expression(rule(alert).expression).conditions if one.left.name == signal)
