"""`verify` says on standard error what it waits for, so that its answer stays the only thing on standard output."""

from __future__ import annotations

from receiver.commands.verify import await_well
from receiver.phases.verify import LOOK_AGAIN
from tests.receiver.agent import Agent
from tests.receiver.commands.journaled import Journaled


def test_what_it_waits_for_is_said_on_standard_error(here: Journaled) -> None:
    """Nothing answers as Prometheus here: the reason is told at once, not only when the time is up."""
    for deployment in here.content["deployments"].values():
        deployment["verify"] = {"timeout": f"{2 * LOOK_AGAIN:g}s"}
    here.write()
    ended = here.run("verify", "qrl")
    assert ended.stderr.count("waiting: ") == 1
    assert "waiting: Prometheus" in ended.stderr
    assert ended.stdout.startswith("qrl is not known to be well: Prometheus")


def test_a_look_does_not_wait(here: Journaled) -> None:
    """With --check-only the answer is all."""
    assert here.run("verify", "qrl", "--check-only").stderr == ""


def test_each_new_reason_is_told_once(agent: Agent) -> None:
    """First no service has been checked, then one is bad."""
    told: list[str] = []

    def tell(missing: str) -> None:
        told.append(missing)
        agent.prometheus.health = {"flask": (1.0, 1.0, 0.0)}

    agent.prometheus.health = {}
    await_well(agent.world, 3 * LOOK_AGAIN, tell)
    assert told == ["not yet 3 good checks in a row: no service", "not yet 3 good checks in a row: flask"]
