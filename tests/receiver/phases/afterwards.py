"""What a test lets happen once the rollback was executed."""

from __future__ import annotations

from collections.abc import Callable

from receiver.journal.views import View
from tests.receiver.agent import Agent


def after(agent: Agent, change: Callable[[], None]) -> None:
    """Let things be as `change` makes them once GOOD is live again."""

    def when_asked(number: int) -> None:
        agent.heal(number)
        if agent.executed():
            change()

    agent.prometheus.when_asked = when_asked


def give_up(agent: Agent) -> View:
    """Roll back, and let the time for verification pass; nothing may have been verified."""
    run = agent.go()
    assert (run["state"], run["result"]) == ("waiting", None)
    for _ in range(3):
        assert agent.wait(100)["result"] is None
    return agent.wait(400)
