"""The table of scenarios covers the tree, and each asks for what its branch does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from demo.places import REPOSITORY
from demo.releases import Fault
from demo.scenarios import DEFAULT, NAMES, SCENARIOS, SHIPPED, Ending, Scenario, named
from receiver.model import EscalationReason


def rules() -> list[dict[str, Any]]:
    """The branches of the shipped tree."""
    tree = yaml.safe_load((REPOSITORY / "alert-rules" / "decision-tree.rules.yml").read_text())
    return [rule for group in tree["groups"] for rule in group["rules"] if "alert" in rule]


def test_every_branch_of_the_tree_has_a_scenario() -> None:
    """None is left out, and none is played that the tree does not have."""
    assert {scenario.branch for scenario in SCENARIOS} == {rule["labels"]["branch"] for rule in rules()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_ends_as_its_branch_asks(scenario: Scenario) -> None:
    """A full rollback and a question end with a human, a watch with nothing, a fast rollback with the good release."""
    endings = {
        (rule["labels"]["action"], rule["labels"].get("level")): rule
        for rule in rules()
        if rule["labels"]["branch"] == scenario.branch
    }
    expected = {
        Ending.ROLLED_BACK: ("rollback", "fast"),
        Ending.WATCHED: ("watch", None),
        Ending.ASKED: ("rollback", "full") if ("rollback", "full") in endings else ("ask", None),
    }
    assert expected[scenario.ending] in endings


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_asked_has_a_reason_that_the_receiver_knows(scenario: Scenario) -> None:
    """Whoever ends with a human names the escalation."""
    assert scenario.ending is not Ending.ASKED or scenario.escalation
    assert not scenario.escalation or EscalationReason(scenario.escalation)


def test_every_fault_is_shipped_by_a_scenario() -> None:
    """There is a patch for each, and no patch that nobody plays."""
    patches = {file.stem for file in (REPOSITORY / "demo" / "faults").glob("*.patch")}
    assert patches == set(Fault) == {scenario.fault for scenario in SCENARIOS if scenario.fault}


def test_names_and_branches_find_scenarios() -> None:
    """Without a name the two of `make demo`; a branch's name is an alias; `all` is all."""
    assert [scenario.name for scenario in named(())] == list(DEFAULT)
    assert named(["service_down", "high_error_rate"]) == named(DEFAULT)
    assert named(["all"]) == SCENARIOS
    assert {scenario.branch for scenario in SCENARIOS} <= set(NAMES)
    assert set(NAMES) - set(SHIPPED) == {"signals_missing"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_document_tells_of_every_scenario(scenario: Scenario) -> None:
    """What is wrong, the branch and the autonomy stand in its row of the table."""
    rows = (REPOSITORY / "docs" / "demo.md").read_text().splitlines()
    (row,) = [row for row in rows if row.startswith(f"| `{scenario.name}`") and row.count("|") == 8]
    assert f"| {scenario.wrong} | `{scenario.branch}` | {scenario.autonomy} |" in row
