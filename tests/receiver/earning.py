"""An agent whose branch may earn L4, with bars that a test can reach."""

from __future__ import annotations

from typing import Any

from receiver.config.earned import EarnedAutonomy
from receiver.journal import earned as rows
from receiver.journal import escalations, reviews
from receiver.model import EscalationReason
from tests.receiver.agent import Agent
from tests.receiver.learning.reviewed import review

NEEDED = EarnedAutonomy(enabled=True, precision=0.4, approved=3)
EARNS: dict[str, Any] = {"autonomy": "L3", "earned_autonomy": NEEDED.model_dump()}
"""Settings with which three approved and right ones of three are enough: the lower end is 0.44."""


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
