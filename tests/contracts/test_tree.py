"""The receiver knows no branch by name: what the shipped rules say of a branch is all that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.branch_labels import read_branch
from receiver.config import DecisionBounds
from receiver.decision import decide, is_recorded_only, why_ask
from receiver.model import Action, Autonomy, Branch, EscalationReason, Level, Telemetry, Trigger

TREE = Path(__file__).parents[2] / "alert-rules" / "decision-tree.rules.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(TREE.read_text())["groups"] for rule in group["rules"] if "alert" in rule
]
ASKED_BY_DESIGN = {
    "migration_failed": EscalationReason.DATABASE_OR_FULL,
    "database_broken": EscalationReason.DATABASE_OR_FULL,
    "elevated_error_rate": EscalationReason.LOW_CONFIDENCE,
}
"""The branches that a human decides at every autonomy level, and why."""


def read(rule: dict[str, Any]) -> Branch:
    """A rule's alert as the receiver reads it from Prometheus."""
    return read_branch({"alertname": rule["alert"], "deployment": "qrl", **rule["labels"]})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule['alert']}-{rule['labels']['action']}")
def test_every_branch_can_be_read(rule: dict[str, Any]) -> None:
    """A branch that rolls back has a level and a confidence, another one has neither."""
    branch = read(rule)

    rolls_back = branch.action is Action.ROLLBACK
    assert (branch.level is not None, branch.confidence is not None) == (rolls_back, rolls_back)


def test_the_lowest_rank_decides_whatever_fires_beside_it() -> None:
    """With all branches firing at once the first of the tree decides, and so on down to the last; then the watches."""
    branches = sorted(map(read, RULES), key=lambda branch: branch.action is Action.WATCH)
    for number, first in enumerate(branches):
        firing = tuple(reversed(branches[number:]))

        decision = decide(Telemetry(0.0, firing, (), ()))

        assert decision is not None
        assert decision.branch == first.branch


def test_at_l4_only_those_are_asked_that_the_design_names() -> None:
    """A full rollback and a confidence of no more than 0.90 are put to a human, all else above goes ahead."""
    asked = {}
    for branch in map(read, RULES):
        if branch.action is not Action.ROLLBACK:
            continue
        decision = decide(Telemetry(0.0, (branch,), (), ()))
        assert decision is not None
        assert not is_recorded_only(decision, DecisionBounds())
        question = why_ask(decision, Trigger.ALERT, Autonomy.L4, DecisionBounds())
        if question is not None:
            asked[branch.branch] = question.escalation
    assert asked == ASKED_BY_DESIGN
    assert {rule["labels"]["branch"] for rule in RULES if rule["labels"].get("level") == Level.FULL} == {
        "migration_failed",
        "database_broken",
    }
