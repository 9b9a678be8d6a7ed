"""The page of a deployment shows what its branches have earned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from receiver import earned
from tests.receiver.agent import Agent
from tests.receiver.earning import EARNS, approved_before
from tests.receiver.web.served import Page, served


def test_each_branch_is_shown_with_how_far_it_is(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """One that has earned L4, and one that has not yet; the change waits for somebody who has seen it."""
    agent = make_agent(**EARNS)
    approved_before(agent, 3)
    approved_before(agent, 2, "wide_impact")
    earned.look(agent.database, agent.world.audit, agent.config)
    with served(agent, tmp_path) as page:
        shown = page.visitor("carol").text("/deployments/qrl")
    for part in (
        "Earned autonomy",
        "service_down L4 3 of 3 approved, lower bound of precision 0.438 of 0.4",
        "wide_impact L3 2 of 3 approved, lower bound of precision 0.342 of 0.4",
        "service_down of qrl rolls back without asking from now on",
    ):
        assert part in shown, shown


def test_where_it_is_off_there_is_nothing_to_show(page: Page) -> None:
    """The section is not there."""
    assert "Earned autonomy" not in page.visitor("carol").text("/deployments/qrl")
