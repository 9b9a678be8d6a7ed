"""A question gives way to a branch that stands higher in the tree, and to no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.errors import PrometheusError
from receiver.journal import views
from receiver.journal.approvals import ApprovalState
from receiver.journal.views import View
from receiver.model import Action, Branch
from tests.receiver.agent import Agent, Killed
from tests.receiver.surroundings import GOOD, branch

LOW = branch("elevated_error_rate", rank=9, confidence=0.75)
HIGH = branch(rank=1, confidence=0.99)


@pytest.fixture
def asking(make_agent: Callable[..., Agent]) -> Agent:
    """An agent at L4 that asks, since the branch that fires is not sure enough."""
    agent = make_agent(autonomy="L4")
    agent.prometheus.firing = (LOW,)
    assert agent.go()["approval"]["state"] == "pending"
    return agent


def runs(agent: Agent) -> list[View]:
    """All runs, oldest first, of what must be one incident."""
    with agent.database.read() as tx:
        (incident,) = views.incidents(tx)
    found: list[View] = incident["runs"]
    return found


def test_a_higher_branch_takes_over(asking: Agent) -> None:
    """Its own run begins at once, in the same incident, and goes ahead where that branch is sure."""
    asking.prometheus.firing = (LOW, HIGH)

    asking.wait(11)

    first, second = runs(asking)
    assert (first["result"], first["approval"]["state"]) == ("upgraded", "withdrawn")
    assert "ServiceDown fires in Prometheus (rank 1), which goes before ElevatedErrorRate" in first["reason"]
    assert (second["result"], second["decision"]["branch"]) == ("restored", "service_down")
    assert asking.executed() == [GOOD]
    assert asking.escalated(only_open=True) == [], "what the first question raised is settled"


def test_the_earlier_plan_cannot_be_approved_any_more(make_agent: Callable[..., Agent]) -> None:
    """At L3 the higher branch asks anew, and the answer to the first question counts for nothing."""
    agent = make_agent(autonomy="L3")
    agent.prometheus.firing = (LOW,)
    agent.go()
    agent.prometheus.firing = (LOW, HIGH)
    agent.wait(11)

    first, second = runs(agent)
    assert (first["approval"]["state"], second["approval"]["state"]) == ("withdrawn", "pending")
    assert agent.decide(ApprovalState.APPROVED), "the newest run's is the one to answer"
    assert agent.work()["result"] == "restored"


@pytest.mark.parametrize(
    "beside",
    [
        branch("wide_impact", rank=9, confidence=0.99),
        branch("minor_impact", rank=10, confidence=0.99),
        branch("database_in_trouble", Action.ASK, rank=1),
        branch("minor_watch", Action.WATCH, rank=1),
    ],
)
def test_what_is_not_a_higher_rollback_changes_nothing(asking: Agent, beside: Branch) -> None:
    """A branch of the same or a lower rank, or one that asks or watches, leaves the question as it is."""
    asking.prometheus.firing = (LOW, beside)

    assert asking.wait(11)["approval"]["state"] == "pending"
    assert len(runs(asking)) == 1


def test_not_knowing_takes_nothing_back(asking: Agent) -> None:
    """A Prometheus that cannot be asked leaves the question open."""
    asking.prometheus.firing = (LOW, HIGH)
    asking.prometheus.error = PrometheusError("gone")

    assert asking.wait(11)["approval"]["state"] == "pending"


def test_killed_in_the_middle_there_is_one_new_run(asking: Agent) -> None:
    """The agent ends after the first run has stopped and before it is reported: the next life begins one run."""
    asking.prometheus.firing = (LOW, HIGH)
    write = asking.report.write

    def killed(*_: object) -> str:
        raise Killed

    asking.report.write = killed  # type: ignore[method-assign,assignment]
    asking.new_process()
    asking.clock.advance(11)
    with pytest.raises(Killed):
        asking.work()
    asking.report.write = write  # type: ignore[method-assign]
    asking.new_process()
    asking.wait(60)

    assert [run["result"] for run in runs(asking)] == ["upgraded", "restored"]
    assert asking.executed() == [GOOD]
