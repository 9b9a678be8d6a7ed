"""What is read around a release says whether it is the cause; the decision carries it, and may be refused for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from receiver.announcements import Announcements
from receiver.attribution import BEFORE
from receiver.errors import PrometheusError
from receiver.journal import releases
from receiver.model import History, Release
from receiver.rules.groups import Group
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, BEYOND, ToldTree, branch
from tests.receiver.tree import builders


def fits(agent: Agent) -> dict[str, bool | None]:
    """The clues of the newest run's decision."""
    return {one["name"]: one["fits"] for one in agent.run()["decision"]["attribution"]["clues"]}


def measured(agent: Agent, value: float) -> None:
    """Let every moment of the past have been measured, beyond a threshold or not."""

    def past(since: float, until: float) -> tuple[History, ...]:
        return (History(BEYOND, None, tuple((since + step, value) for step in range(0, int(until - since), 60))),)

    agent.prometheus.past = past


def fires_since(agent: Agent, at: float) -> None:
    """Let the condition of what fires have become true at that moment."""
    tree = agent.world.tree
    assert isinstance(tree, ToldTree)
    rule = builders.branch("service_down", 1, "a > 1", builders.alert("firing", 1, since=at))
    tree.groups = (Group("tree", (rule,), 10.0, agent.clock()),)


def test_the_decision_carries_its_clues(make_agent: Callable[..., Agent]) -> None:
    """After a release that its pipeline told of, with nothing wrong before: all four speak for it, also reported."""
    agent = make_agent(qrl={"attribution": {"alerts": ["HostDown"]}})
    told = Announcements(agent.database, agent.world.audit, ("qrl",))
    told.start_release("qrl", BAD, "ci", services=("flask", "gradio"))
    told.finish_release("qrl", BAD, "ci")
    agent.prometheus.firing = (branch(service="flask"),)
    measured(agent, 0.0)
    agent.clock.advance(60)
    fires_since(agent, agent.clock())
    run = agent.go()

    assert run["result"] == "restored"
    assert fits(agent) == {
        "began_after": True, "in_changed_services": True, "not_elsewhere": True, "surroundings_healthy": True,
    }  # fmt: skip
    report = Path(run["report"]).read_text()
    assert "Does the live release explain the fault? 4 for it, 0 against it, 0 not known:" in report
    assert "- for: flask fails, and the release changes flask, gradio" in report


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda agent: measured(agent, 1.0), "began_after"),
        (lambda agent: fires_since(agent, agent.clock() - 2 * BEFORE), "began_after"),
        (lambda agent: setattr(agent.prometheus, "alerting", frozenset({"HostDown"})), "surroundings_healthy"),
    ],
)
def test_what_speaks_against_it_refuses_where_that_is_wanted(
    make_agent: Callable[..., Agent], wrong: Callable[[Agent], None], name: str
) -> None:
    """`suspect_release` refuses once it is switched on, with the clue's sentence; otherwise it is only told."""
    for settings, result in (
        ({"guardrails": {"disk_space": {"minimum_bytes": 0}, "suspect_release": {"max_age": "1h"}}}, "refused"),
        ({}, "restored"),
    ):
        agent = make_agent(qrl={"attribution": {"alerts": ["HostDown"]}}, **settings)
        agent.target.ship(BAD)
        agent.prometheus.firing, agent.prometheus.availability = (branch(),), 0.25
        measured(agent, 0.0)
        fires_since(agent, agent.clock())
        wrong(agent)
        run = agent.go()

        assert run["result"] == result
        assert fits(agent)[name] is False
        if result == "refused":
            assert [one["guardrail"] for one in run["refusals"]] == ["suspect_release"]
            assert f"{BAD} hardly explains the fault: " in run["refusals"][0]["reason"]
            agent.prometheus.firing = ()
            with agent.database.write() as tx:
                tx.exec_driver_sql("update incident set closed_at = opened_at")


def test_another_deployment_that_fails_counts_by_its_own_release(agent: Agent) -> None:
    """One that was released long ago speaks against it, one of which nothing is known leaves it open."""
    long_ago = Release("s1", "e" * 40, live_since=agent.clock() - 7200)
    with agent.database.write() as tx:
        releases.seen(tx, "shop", (long_ago,), agent.clock() - 7200)
        releases.set_live(tx, "shop", long_ago.id, agent.clock() - 7200)
    agent.prometheus.storming = frozenset({"qrl", "shop"})
    agent.go()

    assert fits(agent)["not_elsewhere"] is False


def test_what_cannot_be_read_is_not_known(agent: Agent) -> None:
    """Without these answers of Prometheus the decision stands, and says what it does not know."""

    def gone(_since: float, _until: float) -> Any:
        raise PrometheusError("the history is gone")

    agent.prometheus.past = gone
    run = agent.go()

    assert run["result"] == "restored"
    assert set(fits(agent).values()) == {None}
    assert run["decision"]["attribution"]["clues"][2]["sentence"] == "not known: the history is gone"


def test_a_person_need_not_suspect_the_release(make_agent: Callable[..., Agent]) -> None:
    """Who asks for a rollback by hand has a reason of their own."""
    agent = make_agent(guardrails={"disk_space": {"minimum_bytes": 0}, "suspect_release": {"max_age": "1h"}})
    measured(agent, 1.0)
    fires_since(agent, agent.clock() - 2 * BEFORE)
    agent.request()
    run = agent.work()

    assert fits(agent)["began_after"] is False
    assert run["state"] == "waiting"
