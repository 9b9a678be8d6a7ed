"""What was before a step of a run: the steps up to it, and other runs."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from receiver.journal import releases, runs, tables
from receiver.model import Proceed, Run
from receiver.phases.back_up import back_up
from receiver.phases.evaluate import evaluate
from receiver.workflow import LEASE
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD


def claimed(agent: Agent, *ages: float, deployment: str = "qrl") -> None:
    """Other runs took the budget of the deployment so many seconds ago."""
    with agent.database.write() as tx:
        incident = tx.execute(sa.select(tables.incident.c.id)).scalar_one()
        for age in ages:
            row = {
                "id": f"{deployment}-{age}", "incident": incident, "deployment": deployment, "trigger": "alert",
                "state": "finished", "phase": "report", "created_at": 0.0, "wake_at": 0.0,
                "claimed_at": agent.clock() - age,
            }  # fmt: skip
            tx.execute(sa.insert(tables.run).values(row))


def migrate(agent: Agent) -> None:
    """The live release is reported with a migration that cannot be undone."""
    with agent.database.write() as tx:
        releases.deploy_finished(tx, "qrl", BAD, agent.clock(), None, irreversible=True)


def begun(agent: Agent) -> Run:
    """The agent's run, held by a worker that has done nothing for it yet."""
    agent.wake()
    with agent.database.write() as tx:
        run = runs.claim(tx, "worker", agent.clock(), LEASE)
    assert run is not None
    return run


def planned(agent: Agent) -> Run:
    """The agent's run, as it is once everything up to the command is done."""
    run = begun(agent)
    for phase in (evaluate, back_up):
        outcome = phase(run, agent.world)
        assert isinstance(outcome, Proceed)
        run = replace(run, findings=outcome.findings)
    return run
