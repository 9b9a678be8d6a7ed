"""Puts the rules of the tree, the state of their alerts and the values they compare together, for each deployment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from receiver.model import MOST_DEMANDING_FIRST, Action
from receiver.rules.groups import Activity, Alert, Group, Rule
from receiver.tree.conditions import Expression, read_expression
from receiver.tree.readings import DEPLOYMENT, SERVICE, Measured, Values, by_deployment, measure

Alerts = dict[int, list[Alert]]
"""Alerts by the place of their rule in the tree."""
Firing = tuple[int, Mapping[str, str]]
"""The rank and the labels of a firing alert."""


class State(StrEnum):
    """How far a branch is on one deployment; `unknown` where Prometheus does not evaluate its rule."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BranchRule:
    """An alert rule with a branch; labels that cannot be read are None. `fault` says why its state is not known."""

    rule: Rule
    branch: str
    rank: int | None
    action: str
    level: str | None
    confidence: float | None
    expression: Expression
    fault: str

    @property
    def order(self) -> float:
        """Its rank; whoever has none that can be read comes last."""
        return math.inf if self.rank is None else self.rank

    @property
    def demand(self) -> int | None:
        """The less, the more is asked for; None where the labels do not say."""
        found = [place for place, action in enumerate(MOST_DEMANDING_FIRST) if action == self.action]
        return found[0] if found and self.rank is not None else None

    @property
    def precedence(self) -> tuple[bool, bool, float, int]:
        """The least decides; whoever cannot be read comes last, and before it a watch."""
        demand = self.demand
        return demand is None, self.action == Action.WATCH, self.order, demand or 0


@dataclass(frozen=True, slots=True)
class BranchState:
    """One rule on one deployment; moments are Unix seconds."""

    rule: BranchRule
    state: State
    since: float | None
    fires_at: float | None
    series: int
    """How many alerts are as far as that."""
    services: tuple[str, ...]
    """Those that these alerts name."""
    measured: tuple[Measured, ...]
    held_back_by: int | None
    """The rank of a firing branch, where what the rule looks for is there and that branch keeps it silent."""

    @property
    def deciding(self) -> Measured | None:
        """What the branch is about: the first alternative that holds, or else the first."""
        openers = [one for one in self.measured if one.condition.opens]
        return next((one for one in openers if one.holds), next(iter(openers), None))

    @property
    def service(self) -> str | None:
        """The service to speak of: the worst of those that the alerts name, or the worst of all."""
        readings = self.deciding.readings if self.deciding else ()
        named = [one for one in readings if one.service in self.services]
        return next((one.service for one in named or readings), None)


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """All branches on one deployment, lowest rank first."""

    name: str
    is_configured: bool
    is_known: bool
    """Whether Prometheus has any value or alert of it."""
    branches: tuple[BranchState, ...]

    @property
    def firing(self) -> tuple[BranchState, ...]:
        """What fires, the deciding one first, as the receiver takes them (`Branch.precedence`)."""
        found = [one for one in self.branches if one.state is State.FIRING]
        return tuple(sorted(found, key=lambda one: one.rule.precedence))

    @property
    def urgency(self) -> tuple[int, float]:
        """Sorts what fires before what is about to, lower ranks first, before what is quiet."""
        order = (State.FIRING, State.PENDING)
        active = [(order.index(one.state), one.rule.order) for one in self.branches if one.state in order]
        return min(active, default=(len(order), 0.0))


def branch_rules(groups: Iterable[Group], now: float) -> tuple[BranchRule, ...]:
    """The rules with a branch, lowest rank first; two of one rank in the order of their evaluation."""
    found = [_branch_rule(group, rule, now) for group in groups for rule in group.rules if rule.labels.get("branch")]
    return tuple(sorted(found, key=lambda one: one.order))


def queries(rules: Iterable[BranchRule]) -> list[str]:
    """Every query, once, that the values of the rules' conditions need."""
    expressions = [rule.expression for rule in rules]
    operands = (
        side for one in expressions for condition in one.conditions for side in (condition.left, condition.right)
    )
    needed = [operand.query for operand in operands if operand.literal is None]
    return list(dict.fromkeys((*needed, *(one.unsilenced for one in expressions if one.unsilenced))))


def deployments(rules: Sequence[BranchRule], values: Values, configured: Iterable[str]) -> tuple[DeploymentState, ...]:
    """The tree of each deployment: the configured ones in their order, then those that only Prometheus knows."""
    of_deployments, alerts, there = by_deployment(values), _alerts(rules), tuple(configured)
    known = {*of_deployments, *alerts} - {""}
    return tuple(
        DeploymentState(
            name=name,
            is_configured=name in there,
            is_known=name in known,
            branches=_branches(rules, alerts.get(name, {}), of_deployments, name),
        )
        for name in dict.fromkeys((*there, *sorted(known)))
    )


def _branch_rule(group: Group, rule: Rule, now: float) -> BranchRule:
    fault = rule.last_error if rule.health == "err" else ""
    if not fault and group.is_overdue(now):
        fault = "its group is not being evaluated"
    try:
        expression = read_expression(rule.query)
    except ValueError:
        expression = Expression(())
    labels = rule.labels
    return BranchRule(
        rule=rule,
        branch=labels["branch"],
        rank=int(labels["rank"]) if labels.get("rank", "").isdecimal() else None,
        action=labels.get("action", ""),
        level=labels.get("level"),
        confidence=_number(labels.get("confidence")),
        expression=expression,
        fault=fault,
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _alerts(rules: Sequence[BranchRule]) -> dict[str, Alerts]:
    """The alerts of each deployment, by the place of their rule."""
    found: dict[str, Alerts] = {}
    for place, rule in enumerate(rules):
        for alert in rule.rule.alerts:
            found.setdefault(alert.labels.get(DEPLOYMENT, ""), {}).setdefault(place, []).append(alert)
    return found


def _branches(
    rules: Sequence[BranchRule], alerts: Alerts, values: Mapping[str, Values], name: str
) -> tuple[BranchState, ...]:
    firing = [
        (rank, alert.labels | {"alertstate": Activity.FIRING.value})
        for place, found in alerts.items()
        for alert in found
        if alert.state is Activity.FIRING and (rank := rules[place].rank) is not None
    ]
    own = values.get(name, {})
    return tuple(
        _held_back(branch, own, firing)
        for place, rule in enumerate(rules)
        for branch in [_branch(rule, alerts.get(place, ()), measure(rule.expression, values, name))]
    )


def _held_back(branch: BranchState, values: Values, firing: Sequence[Firing]) -> BranchState:
    """The same, with who keeps it silent where everything else of its expression is there."""
    expression = branch.rule.expression
    if branch.state is not State.INACTIVE or expression.unsilenced not in values:
        return branch
    above = [rank for rank, labels in firing if expression.is_silenced_by(labels)]
    return replace(branch, held_back_by=min(above, default=None))


def _branch(rule: BranchRule, alerts: Sequence[Alert], measured: tuple[Measured, ...]) -> BranchState:
    state, as_far = _state(rule, alerts)
    begun = min((alert.active_since for alert in as_far), default=None)
    due = None if begun is None else begun + rule.rule.duration
    return BranchState(
        rule=rule,
        state=state,
        since=due if state is State.FIRING else begun,
        fires_at=due if state is State.PENDING else None,
        series=len(as_far),
        services=tuple(sorted({alert.labels[SERVICE] for alert in as_far if alert.labels.get(SERVICE)})),
        measured=measured,
        held_back_by=None,
    )


def _state(rule: BranchRule, alerts: Sequence[Alert]) -> tuple[State, list[Alert]]:
    """The state of a rule on a deployment, and the alerts that are as far."""
    if rule.fault:
        return State.UNKNOWN, []
    for activity, state in ((Activity.FIRING, State.FIRING), (Activity.PENDING, State.PENDING)):
        if found := [alert for alert in alerts if alert.state is activity]:
            return state, found
    return State.INACTIVE, []
