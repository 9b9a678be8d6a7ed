"""What branches have earned, as Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver import earned
from tests.receiver.agent import Agent
from tests.receiver.earning import EARNS, approved_before
from tests.receiver.promised_metrics import WITH_EARNING
from tests.receiver.test_metrics_of_runs import Scraped


def test_the_level_of_each_branch_and_how_far_it_is(make_agent: Callable[..., Agent]) -> None:
    """One has earned L4, another has not; the deployment's own level is what is configured."""
    agent = make_agent(**EARNS)
    approved_before(agent, 3)
    approved_before(agent, 2, "wide_impact")
    earned.look(agent.database, agent.world.audit, agent.config)
    scraped = Scraped(agent)

    told = {name: {of["branch"]: value for of, value in scraped.values(name)} for name in WITH_EARNING}
    assert told["rollback_branch_autonomy_level"] == {"service_down": 4, "wide_impact": 3}
    assert told["rollback_earned_approved"] == {"service_down": 3, "wide_impact": 2}
    assert told["rollback_earned_precision_ratio"]["service_down"] == pytest.approx(0.4385, abs=1e-4)
    labels = {name: set(scraped.values(name)[0][0]) for name in WITH_EARNING}
    assert labels == WITH_EARNING
    assert scraped.values("rollback_autonomy_level") == [({"deployment": "qrl"}, 3)]
