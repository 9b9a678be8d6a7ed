"""What happens between the look at the facts and the claim is seen under the lock, and an earlier life is oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from receiver.journal import deployments, tables
from receiver.model import Outcome, Proceed, Run, Silence, Stop
from receiver.phases.claim import claim
from tests.receiver.agent import Agent
from tests.receiver.phases.before import claimed, planned
from tests.receiver.surroundings import ToldAlertmanager


class Meanwhile(ToldAlertmanager):
    """Lets something happen when it is asked, which is after the journal was."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def active_silences(self, labels: dict[str, str]) -> tuple[Silence, ...]:
        self._happens()
        return super().active_silences(labels)


def claim_meanwhile(agent: Agent, run: Run, happens: Callable[[], None]) -> Outcome:
    return claim(run, replace(agent.world, alertmanager=Meanwhile(happens)))


def latches(agent: Agent, deployment: str = "qrl") -> None:
    with agent.database.write() as tx:
        deployments.latch(tx, deployment, agent.clock(), "a test")


def claimed_at(agent: Agent, run: Run) -> float | None:
    with agent.database.read() as tx:
        found: float | None = tx.execute(
            sa.select(tables.run.c.claimed_at).where(tables.run.c.id == run.id)
        ).scalar_one()
    return found


@pytest.mark.parametrize(
    ("happens", "guardrail"),
    [
        (lambda agent: claimed(agent, 10), "cooldown"),
        (lambda agent: claimed(agent, 4000, 3000, 2000), "daily_limit"),
        (latches, "latched"),
    ],
    ids=["cooldown", "daily limit", "latch"],
)
def test_what_happens_in_between_refuses(agent: Agent, happens: Callable[[Agent], None], guardrail: str) -> None:
    """The budget is not taken, and what was judged under the lock is what is kept."""
    run = planned(agent)

    outcome = claim_meanwhile(agent, run, lambda: happens(agent))

    assert isinstance(outcome, Stop)
    assert [refusal.guardrail for refusal in outcome.findings.refusals] == [guardrail]
    assert outcome.findings.plan == run.findings.plan
    assert outcome.judged is not None
    assert outcome.judged.kind == "alone"
    assert claimed_at(agent, run) is None


def test_what_happens_to_another_deployment_does_not(agent: Agent) -> None:
    """Its claims and its latch are its own."""
    run = planned(agent)

    def happens() -> None:
        claimed(agent, 10, deployment="shop")
        latches(agent, "shop")

    assert isinstance(claim_meanwhile(agent, run, happens), Proceed)


def test_a_claim_says_when(agent: Agent) -> None:
    """The run knows it, and the journal has the same moment."""
    run = planned(agent)

    outcome = claim(run, agent.world)

    assert isinstance(outcome, Proceed)
    assert outcome.findings.claimed_at is not None
    assert outcome.findings.claimed_at == claimed_at(agent, run)


def test_an_earlier_life_of_the_run_is_no_other(agent: Agent) -> None:
    """Killed right after its claim, the run claims again."""
    run = planned(agent)
    assert isinstance(claim(run, agent.world), Proceed)

    assert isinstance(claim(run, agent.world), Proceed)


def test_a_refusal_before_the_lock_keeps_all_that_was_judged(agent: Agent) -> None:
    """Every guardrail's answer, and not only of those that are asked alone."""
    run = planned(agent)
    agent.config.kill_switch.touch()

    outcome = claim(run, agent.world)

    assert isinstance(outcome, Stop)
    assert outcome.judged is not None
    assert outcome.judged.kind == "guarded"
