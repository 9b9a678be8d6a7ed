"""Every reason to ask a human, as the workflow comes to it, calls through a real Alertmanager and says everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from demo.monitoring import Server, start_alertmanager
from demo.processes import free_port
from receiver import earned
from receiver.alertmanager import Alertmanager
from receiver.errors import PrometheusError
from receiver.escalate import Escalator
from receiver.model import Action, EscalationReason, Level
from receiver.next_steps import ADVICE
from tests.receiver.agent import Agent
from tests.receiver.earning import EARNS, approved_before
from tests.receiver.surroundings import BAD, branch

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
ANNOTATIONS = {"summary", "description", "facts", "done", "next_steps", "link", "runbook_url"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Alertmanager."""
    with start_alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG, free_port()) as running:
        yield running


def fire(agent: Agent, **changes: Any) -> None:
    """Another branch fires."""
    agent.prometheus.firing = (branch(**changes),)
    agent.go()


def end_without_effect(agent: Agent) -> None:
    """The rollback changes nothing that anybody measures."""
    agent.prometheus.when_asked = lambda _: None
    agent.go()
    agent.wait(601)


def roll_back_twice(agent: Agent) -> None:
    """A rollback that went well is followed by another bad release."""
    assert agent.go()["result"] == "restored"
    agent.target.ship(BAD)
    agent.prometheus.firing, agent.prometheus.availability = (branch(),), 0.25
    agent.prometheus.when_asked = lambda _: None
    agent.go()


def lose_prometheus(agent: Agent) -> None:
    """Prometheus is down when it is asked again."""
    agent.wake()
    agent.prometheus.error = PrometheusError("Prometheus cannot be asked: refused")
    agent.work()


def meet_the_unknown(agent: Agent) -> None:
    """What fires as a branch has no branch's labels."""
    agent.wake()
    agent.prometheus.firing, agent.prometheus.unreadable = (), ("OddOne",)
    agent.work()


def break_the_command(agent: Agent, script: str) -> None:
    """The rollback command does this."""
    agent.target.script = script
    agent.go()


def fail(agent: Agent) -> None:
    """The agent has a fault of its own."""

    def raise_unexpectedly() -> None:
        raise RuntimeError("a fault of our own")

    agent.target.when_read = raise_unexpectedly
    agent.go()


def answer_nothing(agent: Agent) -> None:
    """Nobody confirms the plan."""
    agent.go()
    agent.wait(901)


def earn_autonomy(agent: Agent) -> None:
    """A branch has earned that nobody is asked about it."""
    approved_before(agent, 3)
    earned.look(agent.database, agent.world.audit, agent.config)


SETTINGS: dict[EscalationReason, dict[str, Any]] = {
    EscalationReason.AUTONOMY_CHANGED: EARNS,
    EscalationReason.APPROVAL_EXPIRED: {"autonomy": "L3"},
}
TRIGGERS: dict[EscalationReason, Callable[[Agent], object]] = {
    EscalationReason.ROLLBACK_FAILED: lambda agent: break_the_command(agent, "exit 1"),
    EscalationReason.VERIFICATION_FAILED: end_without_effect,
    EscalationReason.LIMIT_REACHED: roll_back_twice,
    EscalationReason.DATABASE_OR_FULL: lambda agent: fire(agent, level=Level.FULL, confidence=0.9),
    EscalationReason.SAFETY_CHECK_FAILED: lambda agent: (agent.config.kill_switch.touch(), agent.go()),
    EscalationReason.UNKNOWN_PATTERN: meet_the_unknown,
    EscalationReason.LOW_CONFIDENCE: lambda agent: fire(agent, confidence=0.7),
    EscalationReason.MISSING_DATA: lose_prometheus,
    EscalationReason.APPROVAL_EXPIRED: answer_nothing,
    EscalationReason.UNKNOWN_RESULT: lambda agent: break_the_command(agent, "kill -9 $PPID"),
    EscalationReason.BRANCH_ASKS: lambda agent: fire(agent, action=Action.ASK),
    EscalationReason.BY_HAND: lambda agent: fire(agent, level=Level.MANUAL),
    EscalationReason.AGENT_FAILED: fail,
    EscalationReason.AUTONOMY_CHANGED: earn_autonomy,
}


def test_no_reason_is_left_out() -> None:
    """A new reason needs a way to come to it here."""
    assert TRIGGERS.keys() == set(EscalationReason)


@pytest.mark.parametrize("reason", list(EscalationReason))
def test_every_trigger_calls(make_agent: Callable[..., Agent], server: Server, reason: EscalationReason) -> None:
    """Reason, facts, what was done, three steps and the links are in Alertmanager, none empty."""
    links = {"web": {"external_url": "https://rollback.example"}}
    told = {"alertmanager": {"url": server.url, "runbook_url": "https://wiki.example/RollbackNeedsHuman"}}
    agent = make_agent(**links, **told, **SETTINGS.get(reason, {}))
    TRIGGERS[reason](agent)
    assert agent.escalated(only_open=True) == [reason]

    assert Escalator(agent.database, Alertmanager(server.url, 5.0), agent.config).work_once()

    parameters = {"filter": f'reason="{reason}"'}
    (seen,) = requests.get(f"{server.url}/api/v2/alerts", params=parameters, timeout=30).json()
    said = seen["annotations"]
    assert said.keys() == ANNOTATIONS
    assert all(text.strip() for text in said.values())
    assert said["summary"] == f"qrl needs a human: {ADVICE[reason].words}"
    assert [step[:2] for step in said["next_steps"].splitlines()] == ["1.", "2.", "3."]
    assert seen["labels"].get("incident", "") in said["link"]
    assert seen["labels"]["severity"] == ("warning" if reason is EscalationReason.AUTONOMY_CHANGED else "critical")
