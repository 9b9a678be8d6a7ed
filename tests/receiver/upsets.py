"""What goes wrong in the middle of a run, at the moment that a test says."""

from __future__ import annotations

from collections.abc import Callable

from tests.receiver.agent import Agent

EVALUATE, GUARD, CLAIM, EXECUTE, VERIFY = 1, 2, 3, 4, 5
"""Which question to Prometheus a phase asks first, at L4."""


def at(agent: Agent, question: int, act: Callable[[], object]) -> None:
    """Do something when that question is asked of Prometheus, before it is answered."""

    def when_asked(number: int) -> None:
        if number == question:
            act()
        agent.heal(number)

    agent.prometheus.when_asked = when_asked


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def break_audit(agent: Agent) -> None:
    """Put a directory in the place of the audit trail."""
    trail = agent.config.logs / "audit-trail.jsonl"
    trail.unlink(missing_ok=True)
    trail.mkdir()
