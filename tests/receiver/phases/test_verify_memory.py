"""Who does not remember what was decided on gives no verdict on what came of it."""

from __future__ import annotations

import pytest

from receiver.errors import PrometheusError
from tests.receiver.agent import Agent
from tests.receiver.phases.afterwards import after, give_up
from tests.receiver.surroundings import branch

FORGOTTEN = "Prometheus does not remember ServiceDown: it is not the one that told of it, or has lost its data"


@pytest.mark.parametrize(
    "change",
    [{}, {"firing": (branch("high_error_rate"),)}, {"availability": 0.0, "health": {"flask": (0.0,)}}],
    ids=["all well", "something fires", "it is worse"],
)
def test_who_does_not_remember_what_was_decided_on_says_nothing(agent: Agent, change: dict[str, object]) -> None:
    """Another Prometheus, or one that lost its data, gives no verdict, be it good or bad, and a human is called."""
    agent.prometheus.remembers = False
    after(agent, lambda: [setattr(agent.prometheus, name, value) for name, value in change.items()])

    run = give_up(agent)

    assert (run["result"], run["reason"]) == ("inconclusive", f"not verified in time: {FORGOTTEN}")
    assert (agent.escalated(), agent.latch()) == (["verification_failed"], run["reason"])


def test_it_is_asked_for_what_fired_before_the_command(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """From as long before the run as a sample may be old, until the command was started, of this deployment."""
    asked: list[tuple[str, float, float]] = []
    monkeypatch.setattr(agent.prometheus, "fired", lambda *question: asked.append(question) or True)

    run = agent.go()

    since = run["created_at"] - agent.config.prometheus.max_age
    assert (run["result"], asked) == ("restored", [("qrl", since, run["execution"]["started_at"])])


def test_it_is_asked_for_that_once_it_matters(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """While something is not good yet and there is time, nobody needs to know."""
    asked: list[object] = []
    monkeypatch.setattr(agent.prometheus, "fired", lambda *question: asked.append(question) or True)
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch(),)))

    for _ in range(3):
        agent.go()
    assert (agent.wait(10)["state"], asked) == ("waiting", [])
    assert (agent.wait(700)["result"], len(asked)) == ("no_effect", 1)


def test_who_cannot_say_what_fired_says_nothing(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the past cannot be asked for nothing is verified, and it says why."""

    def fired(*_question: object) -> bool:
        raise PrometheusError("its past is gone")

    monkeypatch.setattr(agent.prometheus, "fired", fired)

    run = give_up(agent)

    assert (run["result"], run["reason"]) == ("inconclusive", "not verified in time: its past is gone")


def test_the_one_that_remembers_may_come_back_in_time(agent: Agent) -> None:
    """Where the address leads to the right Prometheus again before the time is up, that one is believed."""
    agent.prometheus.remembers = False
    assert agent.go()["state"] == "waiting"
    agent.prometheus.remembers = True

    assert agent.wait(30)["result"] == "restored"
