"""Whatever a branch has earned, the configuration and operators have the last word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from receiver import earned
from receiver.config.earned import EarnedAutonomy
from receiver.journal.approvals import ApprovalState
from receiver.journal.autonomy import ALL
from receiver.model import Autonomy
from receiver.operators import Operators
from tests.receiver.agent import Agent
from tests.receiver.earning import ADA, EARNS, RIGHT, approved_before, break_again, level, look, recorded, say


@pytest.mark.parametrize(("scope", "set_to"), [("qrl", "L3"), (ALL, "L3"), ("qrl", "L2"), ("qrl", "L1")])
def test_what_an_operator_sets_goes_before_what_was_earned(risen: Agent, scope: str, set_to: str) -> None:
    """Until it is taken back; meanwhile nothing rises either."""
    operators = Operators(risen.database, risen.world.audit, risen.config)
    operators.set_autonomy(scope, Autonomy(set_to), ADA, "I want to be asked")
    approved_before(risen, 3, "high_error_rate")
    look(risen)
    assert level(risen, "high_error_rate") == "L3"
    run = risen.go()
    assert (run["permission"], risen.executed()) == (None, [])
    if set_to != "L3":
        return
    assert run["approval"]["state"] == "pending"
    risen.decide(ApprovalState.DENIED)
    risen.work()
    say(risen, RIGHT)
    operators.clear("qrl", ADA, "")
    operators.reset_autonomy(scope, ADA, "")
    look(risen)
    assert level(risen, "high_error_rate") == "L4"
    break_again(risen)
    assert risen.go()["permission"]["by"] == "autonomy L4 (earned)"


@pytest.mark.parametrize("level_in_file", ["L1", "L2"])
def test_the_configured_level_is_the_ceiling(make_agent: Callable[..., Agent], level_in_file: str) -> None:
    """Where the file says L1 or L2 nothing is rolled back, whatever the reviews say."""
    agent = make_agent(**EARNS | {"autonomy": level_in_file})
    approved_before(agent, 50)
    look(agent)
    assert (level(agent), agent.go()["result"]) == ("L3", "recorded")


@pytest.mark.parametrize("needed", [{}, {"enabled": False}, {"enabled": True, "precision": 0.45, "approved": 3}])
def test_another_configuration_counts_at_once(risen: Agent, needed: dict[str, Any]) -> None:
    """Switched off, or with a higher bar, the next run asks, also before anybody has looked; then that is told."""
    of_old = risen.config
    risen.config = of_old.model_copy(update={"earned_autonomy": EarnedAutonomy(**needed)})
    risen.world = replace(risen.world, config=risen.config)
    risen.new_process()
    assert risen.go()["approval"]["state"] == "pending"
    look(risen)
    assert (level(risen), recorded(risen)[-1]) == ("L3", ("autonomy:lost", 2))
    earned.look(risen.database, risen.world.audit, of_old)
    assert (level(risen), recorded(risen)[-1]) == ("L4", ("autonomy:earned", 3))


def test_it_is_off_unless_switched_on(make_agent: Callable[..., Agent]) -> None:
    """By default no number of reviews changes anything."""
    agent = make_agent(autonomy="L3")
    approved_before(agent, 100)
    look(agent)
    with agent.database.read() as tx:
        assert earned.standing(tx, agent.config, "qrl") is None
    assert (level(agent), agent.go()["approval"]["state"]) == ("L3", "pending")
