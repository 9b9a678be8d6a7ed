"""Sees to it that what was told of a run is told of that run, of its incident and of its deployment."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import escalations, tables
from tests.receiver.agent import Agent


def check_belonging(agent: Agent) -> None:
    """Each call for a human and each record of a run must name what that run is of."""
    run, incident = tables.run, tables.incident
    query = sa.select(run.c.id, run.c.incident, incident.c.deployment).join_from(run, incident)
    with agent.database.read() as tx:
        of = {row.id: (row.incident, row.deployment) for row in tx.execute(query)}
        for one in escalations.find(tx):
            if one.run or one.incident:
                assert (one.incident, one.deployment) == of[str(one.run)], f"{one.reason} is of something else"
    for record in agent.audit_records():
        if record.get("run"):
            assert record["deployment"] == of[record["run"]][1], f"{record['decision']} is of something else"
