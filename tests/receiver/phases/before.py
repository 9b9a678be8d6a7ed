"""Brings a run up to the command, without doing it."""

from __future__ import annotations

from dataclasses import replace

from receiver.journal import runs
from receiver.model import Proceed, Run
from receiver.phases.back_up import back_up
from receiver.phases.evaluate import evaluate
from receiver.workflow import LEASE
from tests.receiver.agent import Agent


def planned(agent: Agent) -> Run:
    """The agent's run, as it is once everything up to the command is done."""
    agent.wake()
    with agent.database.write() as tx:
        run = runs.claim(tx, "worker", agent.clock(), LEASE)
    assert run is not None
    for phase in (evaluate, back_up):
        outcome = phase(run, agent.world)
        assert isinstance(outcome, Proceed)
        run = replace(run, findings=outcome.findings)
    return run
