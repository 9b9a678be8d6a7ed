"""The log tells the course of a run by itself."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.receiver.agent import Agent, Killed


def test_a_run_is_told_from_its_beginning_to_its_end(agent: Agent) -> None:
    """It begins, each phase ends, and it has ended, in that order."""
    with capture_logs() as log:
        agent.go()

    phases = ("evaluate", "guard", "approve", "claim", "back_up", "execute", "verify")
    said = [line["event"] for line in log]
    assert [line for line in said if line.startswith(("the run", *phases))] == [
        "the run begins", *(f"{phase}: done" for phase in phases[:-1]), "verify: restored", "the run has ended",
    ]  # fmt: skip


def test_a_run_that_is_taken_up_again_says_so(agent: Agent) -> None:
    """After a kill the next life names what was done before it."""

    def kill(_question: int) -> None:
        raise Killed

    agent.prometheus.when_asked = kill
    agent.wake()
    with capture_logs() as log:
        agent.die_and_return()

    begun = [line for line in log if line["event"].startswith("the run ")]
    assert [line["event"] for line in begun] == ["the run begins", "the run is taken up again", "the run has ended"]
    assert (begun[1]["life"], begun[1]["done"]) == (2, [])
