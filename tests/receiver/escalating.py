"""Escalations of a test, and what tells Alertmanager of them."""

from __future__ import annotations

from receiver.escalate import Escalator
from receiver.journal import escalations
from receiver.model import EscalationReason
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.surroundings import ToldOfAlerts

RESEND = 20.0


def escalator(agent: Agent, alertmanager: ToldOfAlerts) -> Escalator:
    """One as a new process would have it, on the clock of the test."""
    return Escalator(agent.database, alertmanager, agent.config, agent.clock, lambda: 1.0)


def ask(agent: Agent, deployment: str = "qrl", reason: EscalationReason = EscalationReason.UNKNOWN_PATTERN) -> str:
    """Open an escalation; its id."""
    with agent.database.write() as tx:
        escalations.open_one(tx, deployment, reason, f"{deployment} is odd", agent.clock())
        return escalations.find(tx)[-1].id


def answer(agent: Agent, escalation: str, word: Answer = Answer.DONE) -> None:
    """A person answers."""
    operators = Operators(agent.database, agent.world.audit, agent.config)
    operators.answer(escalation, word, Person("ada", Via.PAGE), "")


def work(escalating: Escalator) -> None:
    """Tell all that is due."""
    for _ in range(50):
        if not escalating.work_once():
            return
    raise AssertionError("it tells without an end")
