"""The tree as it stood at one moment, kept so that what was decided on it can be explained later."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from receiver.errors import PrometheusError
from receiver.prometheus_api import Series
from receiver.rules.groups import Group, Kind, Rule
from receiver.tree.branches import BranchRule, DeploymentState, branch_rules, deployments, queries
from receiver.tree.readings import DEPLOYMENT, SERVICE
from receiver.tree.whatif import existences

LONGEST = 3.0
"""Seconds after which no further part is asked for: a decision waits for its explanation no longer."""
_TOGETHER = 10
_KEPT_LABELS = (DEPLOYMENT, SERVICE)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rules of the tree, how far their alerts were, and what they compared, for one deployment.

    `at` is Prometheus' own clock (Unix seconds); each value carries the moment at which it was evaluated.
    """

    at: float
    deployment: str
    groups: tuple[Group, ...]
    values: dict[str, tuple[Series, ...]]

    @property
    def rules(self) -> tuple[BranchRule, ...]:
        """The branches, lowest rank first."""
        return branch_rules(self.groups, self.at)

    @property
    def state(self) -> DeploymentState:
        """How far each branch was."""
        (found,) = deployments(self.rules, self.values, (self.deployment,))
        return found


class RulesSource(Protocol):
    """Prometheus, as whoever reads its rules sees it; all raise PrometheusError."""

    def groups(self, kind: Kind | None = None) -> tuple[Group, ...]:
        """The rules of one kind, or all, as they are loaded."""
        ...

    def now(self) -> float:
        """Its clock."""
        ...

    def values(self, queries: Sequence[str]) -> dict[str, tuple[Series, ...]]:
        """What each query gives now."""
        ...


class TreeReader:
    """Reads the tree of a deployment from a running Prometheus."""

    def __init__(self, rules: RulesSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._monotonic = monotonic

    def read(self, deployment: str) -> Snapshot:
        """The tree as it stands; raises PrometheusError, also where it takes longer than LONGEST."""
        deadline = self._monotonic() + LONGEST
        groups, at = self._rules.groups(Kind.ALERTING), self._rules.now()
        kept = tuple(replace(group, rules=rules) for group in groups if (rules := _of(group, deployment)))
        asked = queries(branch_rules(kept, at))
        asked += [one for group in kept for rule in group.rules for one in existences(rule.query)]
        asked = list(dict.fromkeys(asked))
        values: dict[str, tuple[Series, ...]] = {}
        for start in range(0, len(asked), _TOGETHER):
            if self._monotonic() > deadline:
                raise PrometheusError(f"the tree could not be read within {LONGEST:g} s")
            values |= self._rules.values(asked[start : start + _TOGETHER])
        return Snapshot(at, deployment, kept, {query: _kept(found, deployment) for query, found in values.items()})


def _of(group: Group, deployment: str) -> tuple[Rule, ...]:
    """The branches of a group, with the alerts of one deployment and without texts for people."""
    return tuple(
        replace(rule, annotations={}, alerts=tuple(a for a in rule.alerts if a.labels.get(DEPLOYMENT) == deployment))
        for rule in group.rules
        if rule.labels.get("branch")
    )


def _kept(found: Sequence[Series], deployment: str) -> tuple[Series, ...]:
    """The values of one deployment, and those that are of none, always in the same order."""
    own = [one for one in found if one.metric.get(DEPLOYMENT) in (deployment, None)]
    bare = [replace(one, metric={n: v for n, v in one.metric.items() if n in _KEPT_LABELS}) for one in own]
    return tuple(sorted(bare, key=lambda one: sorted(one.metric.items())))
