"""Makes rules, their alerts and what queries give, as Prometheus would tell them."""

from __future__ import annotations

from receiver.prometheus_api import Series
from receiver.rules.groups import Activity, Alert, Group, Kind, Rule
from receiver.tree.branches import BranchRule, BranchState, DeploymentState, branch_rules, deployments, queries

NOW = 1_000_000.0


def branch(name: str, rank: int | str, expr: str, *alerts: Alert, duration: float = 0.0, **labels: str) -> Rule:
    """An alert rule of the tree, which asks for a fast rollback unless `labels` say otherwise."""
    own = {"branch": name, "rank": str(rank), "action": "rollback", "level": "fast", "confidence": "0.95"} | labels
    return Rule(name.title(), Kind.ALERTING, expr, {k: v for k, v in own.items() if v}, {}, duration, 0.0, alerts, "ok")


def alert(state: str, rank: int | str = 1, deployment: str = "qrl", since: float = NOW, **labels: str) -> Alert:
    """An alert of a branch of that rank; `since` is when its condition became true."""
    own = {"deployment": deployment, "rank": str(rank), "branch": "x"} | labels
    return Alert(own, Activity(state), since)


def series(value: float, deployment: str = "qrl", **labels: str) -> Series:
    """One element of a vector."""
    return Series({"deployment": deployment} | labels, value=(NOW, value))


def rules_of(*rules: Rule, evaluated: float = NOW, interval: float = 10.0) -> tuple[BranchRule, ...]:
    """What the tree reads from a group with these rules."""
    return branch_rules([Group("tree", rules, interval, evaluated)], NOW)


def tree(
    *rules: Rule, configured: tuple[str, ...] = ("qrl",), **values: Series | tuple[Series, ...]
) -> tuple[DeploymentState, ...]:
    """The tree of these rules; each query gives what `values` has under its text."""
    read = rules_of(*rules)
    given = {query: one if isinstance(one, tuple) else (one,) for query, one in values.items()}
    return deployments(read, {query: given[query] for query in queries(read) if query in given}, configured)


def only_branch(*rules: Rule, **values: Series | tuple[Series, ...]) -> BranchState:
    """The last branch of `qrl`."""
    return tree(*rules, **values)[0].branches[-1]
