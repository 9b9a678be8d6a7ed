"""A level that is changed at run time counts from the next step on, and answers no question for a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.journal.approvals import ApprovalState
from receiver.journal.autonomy import ALL
from receiver.model import Autonomy
from receiver.operators import Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.surroundings import GOOD

ADA = Person("ada", Via.PAGE)


def set_level(agent: Agent, level: Autonomy, scope: str = "qrl") -> None:
    Operators(agent.database, agent.world.audit, agent.config).set_autonomy(scope, level, ADA, "")


def at_step(agent: Agent, step: str, happens: Callable[[], None]) -> None:
    """Let something happen, once, while this step asks Prometheus."""

    def when_asked(question: int) -> None:
        agent.heal(question)
        if agent.run()["steps"] and agent.run()["steps"][-1]["name"] == step:
            agent.prometheus.when_asked = agent.heal
            happens()

    agent.prometheus.when_asked = when_asked


def test_a_raised_level_goes_ahead_and_survives_a_restart(make_agent: Callable[..., Agent]) -> None:
    """Set to L4 before the alert, nobody is asked, by a process that started later too."""
    agent = make_agent(autonomy="L3")
    set_level(agent, Autonomy.L4)
    agent.new_process()

    run = agent.go()

    assert (run["result"], run["permission"]["by"], agent.executed()) == ("restored", "autonomy L4", [GOOD])


@pytest.mark.parametrize("scope", ["qrl", ALL])
def test_a_lowered_level_only_records(make_agent: Callable[..., Agent], scope: str) -> None:
    """Set to L1 for the deployment or for all, a configured L4 rolls nothing back."""
    agent = make_agent(autonomy="L4", qrl={"autonomy": "L4"})
    set_level(agent, Autonomy.L1, scope)

    assert (agent.go()["result"], agent.executed()) == ("recorded", [])


@pytest.mark.parametrize("level", [Autonomy.L1, Autonomy.L2])
def test_lowered_while_a_person_is_asked_the_question_is_taken_back(
    make_agent: Callable[..., Agent], level: Autonomy
) -> None:
    """The run that waits ends at once, and its question with it."""
    agent = make_agent(autonomy="L3")
    agent.go()
    set_level(agent, level)

    run = agent.work()

    assert (run["result"], run["approval"]["state"], agent.executed()) == ("recorded", "withdrawn", [])


@pytest.mark.parametrize("step", ["claim", "execute"])
@pytest.mark.parametrize(
    ("level", "result", "reason"),
    [
        ("L1", "recorded", "the autonomy level is L1 now, which does not roll back"),
        ("L2", "recorded", "the autonomy level is L2 now, which does not roll back"),
        ("L3", "withdrawn", "the autonomy level is L3 now, and no person was asked"),
    ],
)
def test_lowered_while_the_agent_goes_ahead_nothing_is_executed(
    make_agent: Callable[..., Agent], level: str, result: str, reason: str, step: str
) -> None:
    """Up to the command it counts, whatever the level allowed before; with L3 the next run asks a person."""
    agent = make_agent(autonomy="L4")
    at_step(agent, step, lambda: set_level(agent, Autonomy(level)))

    run = agent.go()

    assert (run["result"], run["reason"], agent.executed(), agent.latch()) == (result, reason, [], None)
    assert (run["plan"]["target_release"], run["decision"]["branch"]) == (GOOD, "service_down")


@pytest.mark.parametrize(("level", "executed"), [("L3", [GOOD]), ("L1", [])])
def test_lowered_after_a_person_approved(make_agent: Callable[..., Agent], level: str, executed: list[str]) -> None:
    """At L3 what somebody has confirmed is done; at L1 nothing is."""
    agent = make_agent(autonomy="L3")
    agent.go()
    assert agent.decide(ApprovalState.APPROVED)
    at_step(agent, "claim", lambda: set_level(agent, Autonomy(level)))

    agent.work()

    assert agent.executed() == executed


def test_raised_while_a_person_is_asked_the_question_stays(make_agent: Callable[..., Agent]) -> None:
    """Whoever was asked is who answers."""
    agent = make_agent(autonomy="L3")
    agent.go()
    set_level(agent, Autonomy.L4)

    run = agent.wait(11)

    assert (run["state"], run["approval"]["state"], agent.executed()) == ("waiting", "pending", [])


def test_raised_after_it_was_only_recorded_the_agent_acts(make_agent: Callable[..., Agent]) -> None:
    """What still fires is looked at again with what the agent may do now, once."""
    agent = make_agent(autonomy="L1")
    assert agent.go()["result"] == "recorded"
    set_level(agent, Autonomy.L4)

    assert (agent.work()["result"], agent.executed()) == ("restored", [GOOD])


def test_a_change_of_level_repeats_no_attempt(make_agent: Callable[..., Agent]) -> None:
    """A rollback that was attempted and did not help is not attempted again because a level was set."""
    agent = make_agent(autonomy="L4", qrl={"verify": {"timeout": "1s"}})
    agent.prometheus.when_asked = lambda _: None
    agent.go()
    assert agent.wait(30)["result"] != "restored"
    set_level(agent, Autonomy.L3)
    set_level(agent, Autonomy.L4)

    agent.wait(600)

    assert agent.executed() == [GOOD]
