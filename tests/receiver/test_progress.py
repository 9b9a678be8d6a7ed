"""A run under way tells its phase, for how long, and what it says; one that has ended tells nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.progress import progress
from tests.receiver.agent import Agent


def test_a_run_that_waits_says_what_for(make_agent: Callable[..., Agent]) -> None:
    """With the time since it began and since the phase did."""
    agent = make_agent(autonomy="L3")
    agent.clock.stand_still()
    agent.go()
    agent.clock.advance(5)
    agent.work()

    found = progress(agent.run(), agent.config.logs, agent.clock() + 25)

    assert found is not None
    assert (found.phase, found.says) == ("approve", "waiting for a person's approval")
    assert (found.elapsed, found.in_phase) == (pytest.approx(30), pytest.approx(30))


def test_the_command_is_told_by_its_last_line(agent: Agent) -> None:
    """While it runs the newest line of its output is shown, without secrets and without what was before."""
    seen: list[str] = []

    def look() -> None:
        found = progress(agent.run(), agent.config.logs, agent.clock())
        seen.append(found.says if found else "nothing")

    def read() -> None:
        if any(agent.config.logs.glob("rollback-*.log")):
            look()

    agent.target.when_read = read
    agent.target.script = f"echo one; echo 'password=hunter22-of-a-test two'; {agent.target.script}"
    agent.go()

    assert seen
    assert all("hunter22" not in line for line in seen)
    assert seen[0] == "switched to r1"


def test_what_has_ended_makes_no_progress(agent: Agent) -> None:
    """Its result says all."""
    run = agent.go()
    assert run["result"] == "restored"
    assert progress(run, agent.config.logs, agent.clock()) is None
