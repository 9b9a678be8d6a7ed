"""One attempt: what follows a rollback is another rollback only where another release was deployed."""

from __future__ import annotations

from collections.abc import Callable

from receiver.journal import incidents, releases
from receiver.model import Release
from tests.receiver.agent import Agent
from tests.receiver.phases.afterwards import after, give_up
from tests.receiver.surroundings import BAD, GOOD, branch


def heal_after(agent: Agent, rollbacks: int) -> Callable[[int], None]:
    """All is well once so many rollbacks were executed."""

    def when_asked(_number: int) -> None:
        if len(agent.executed()) > rollbacks:
            agent.prometheus.firing, agent.prometheus.availability = (), 1.0

    return when_asked


def test_no_rollback_of_a_rollback(agent: Agent) -> None:
    """After a rollback that did not help, the release it went to is left alone, also in the next incident."""
    with agent.database.write() as tx:
        agent.target.commits["r0"] = "e" * 40
        releases.seen(tx, "qrl", (Release("r0", "e" * 40),), agent.clock())
        releases.set_good(tx, "qrl", "r0", agent.clock())
    agent.target.history("r0")
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch(),)))
    assert give_up(agent)["result"] == "no_effect"
    assert agent.wake() is None, "one attempt an incident"
    with agent.database.write() as tx:
        assert incidents.close_quiet(tx, "qrl", agent.clock())
    agent.wait(600)

    run = agent.go()

    assert (run["result"], run["plan"]["target_release"], agent.target.lines()[-1]) == ("refused", "r0", GOOD)
    assert [one["guardrail"] for one in run["refusals"]] == ["live_by_rollback"]


def test_an_alert_that_drains_late_begins_nothing(agent: Agent) -> None:
    """A window that still remembers the bad release fires on after a good rollback: that is waited for, no more."""
    after(agent, lambda: setattr(agent.prometheus, "firing", (branch("high_error_rate"),)))
    assert agent.go()["state"] == "waiting"
    for _ in range(3):
        assert agent.wake() is None
        assert agent.wait(60)["state"] == "waiting"
    after(agent, lambda: setattr(agent.prometheus, "firing", ()))

    assert (agent.wait(60)["result"], agent.executed(), agent.held()) == ("restored", [GOOD], [BAD])


def test_a_second_bad_release_is_rolled_back_too(agent: Agent) -> None:
    """What was deployed after a rollback is a release like any other."""
    agent.go()
    agent.wait(400)
    agent.target.commits["r3"] = "f" * 40
    agent.target.ship("r3")
    agent.prometheus.firing, agent.prometheus.availability = (branch(),), 0.25
    agent.prometheus.when_asked = heal_after(agent, 2)

    run = agent.go()

    assert (run["result"], run["plan"]["live_release"], agent.executed()[-1]) == ("restored", "r3", GOOD)
    assert set(agent.held()) == {BAD, "r3"}


def test_the_held_release_deployed_again_is_rolled_back_again(agent: Agent) -> None:
    """Whoever ships it past the gate gets the same answer, within the budget."""
    agent.go()
    agent.wait(400)
    agent.target.ship(BAD)
    agent.prometheus.firing, agent.prometheus.availability = (branch(),), 0.25
    agent.prometheus.when_asked = heal_after(agent, 2)

    run = agent.go()

    assert (run["result"], run["plan"]["live_release"], agent.executed()[-1]) == ("restored", BAD, GOOD)
    assert agent.held() == [BAD]
