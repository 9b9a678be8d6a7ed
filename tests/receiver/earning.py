"""An agent whose branch may earn L4, with bars that a test can reach."""

from __future__ import annotations

from typing import Any

from receiver import earned
from receiver.config.earned import EarnedAutonomy
from receiver.journal import earned as rows
from receiver.journal import escalations, incidents, reviews
from receiver.model import EscalationReason, Found
from receiver.operators import Person, Via
from receiver.reviewing import Answers, Reviewers
from tests.receiver.agent import Agent
from tests.receiver.learning.reviewed import review
from tests.receiver.surroundings import BAD, branch

NEEDED = EarnedAutonomy(enabled=True, precision=0.4, approved=3)
EARNS: dict[str, Any] = {"autonomy": "L3", "earned_autonomy": NEEDED.model_dump()}
"""Settings with which three approved and right ones of three are enough: the lower end is 0.44."""


ADA = Person("ada", Via.COMMAND_LINE)
RIGHT = Answers(Found.YES, Found.YES, Found.NO, "a typing error", None)


def approved_before(agent: Agent, count: int, branch: str = "service_down") -> None:
    """So many reviews of approved and right rollbacks, as they were taken before it could earn anything."""
    with agent.database.write() as tx:
        have = len(reviews.find(tx))
        for number in range(have, have + count):
            names = {"id": f"{branch}-{number}", "incident": f"{branch}-{number}"}
            reviews.put(tx, review(number, **names, branch=branch, approved_success=True))


def level(agent: Agent, branch: str = "service_down") -> str:
    """What the branch has earned."""
    with agent.database.read() as tx:
        return rows.of_branch(tx, "qrl", branch).level.value


def told(agent: Agent) -> list[str]:
    """The changes of which a human was told."""
    with agent.database.read() as tx:
        return [one.summary for one in escalations.find(tx) if one.reason is EscalationReason.AUTONOMY_CHANGED]


def recorded(agent: Agent) -> list[tuple[str, int]]:
    """The changes on the audit trail, with their numbers."""
    return [
        (record["decision"], record["metrics_used"]["change"])
        for record in agent.audit_records()
        if record["decision"] in ("autonomy:earned", "autonomy:lost")
    ]


def look(agent: Agent) -> None:
    """The look once a minute."""
    earned.look(agent.database, agent.world.audit, agent.config)


def say(agent: Agent, answers: Answers, incident: str | None = None) -> None:
    """Somebody reviews the newest incident, or this one, which is over."""
    agent.prometheus.firing = ()
    with agent.database.write() as tx:
        incident = incident or incidents.of_run(tx, agent.run()["id"])
        incidents.close(tx, incident, agent.clock())
    Reviewers(agent.database, agent.world.audit, agent.config).review(incident, answers, ADA)


def break_again(agent: Agent, name: str = "service_down") -> None:
    """The bad release is shipped again, and the same or another branch fires, long after the cooldown."""
    agent.target.ship(BAD)
    agent.prometheus.firing, agent.prometheus.availability = (branch(name),), 0.25
    shipped = len(agent.target.lines())

    def heal(_question: int) -> None:
        if len(agent.target.lines()) > shipped:
            agent.prometheus.firing, agent.prometheus.availability = (), 1.0

    agent.prometheus.when_asked = heal
    agent.clock.advance(90_000)
    agent.hear_watchdog()
