"""The decision comes from Prometheus and the target alone, and whatever they do not say starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from receiver.errors import PrometheusError, TargetError
from receiver.model import Action, Level
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD, branch


@pytest.mark.parametrize(
    ("firing", "unreadable", "result", "escalations"),
    [
        ((), (), "not_needed", []),
        ((), ("Odd",), "asked", ["unknown_pattern"]),
        ((branch("minor_impact", Action.WATCH),), (), "recorded", []),
        ((branch("slow_responses", Action.ASK),), (), "asked", ["branch_asks"]),
        ((branch("slow_responses", Action.ASK),), ("Odd",), "asked", ["branch_asks"]),
    ],
)
def test_what_asks_for_no_rollback_starts_none(
    agent: Agent, firing: Any, unreadable: tuple[str, ...], result: str, escalations: list[str]
) -> None:
    """Quiet, watching, asking, and an alert that cannot be read end the run without a plan."""
    agent.prometheus.firing, agent.prometheus.unreadable = firing, unreadable

    run = agent.go()

    assert (run["result"], run["plan"], agent.escalated()) == (result, None, escalations)
    assert (agent.executed(), agent.latch()) == ([], None)


def test_the_lowest_rank_decides(agent: Agent) -> None:
    """Of several firing branches the one with the lowest rank decides, and the others are told."""
    agent.prometheus.firing = (branch("wide_impact", rank=9), branch("service_down", service="flask"))

    decision = agent.go()["decision"]

    assert (decision["branch"], decision["also_firing"]) == ("service_down", ["wide_impact"])
    assert decision["reason"] == "ServiceDown fires on flask in Prometheus (rank 1)"


def test_what_was_watched_reaches_a_human_once_it_asks(agent: Agent) -> None:
    """A branch that goes on for so long that it asks, or another one that asks, is told to a human, each once."""
    watched, asks = (branch("minor_impact", action, rank=11) for action in (Action.WATCH, Action.ASK))
    missing = branch("signals_missing", Action.ASK, rank=14)
    told = []
    for firing in ((watched,), (watched, asks), (watched, asks), (watched, asks, missing), (missing,), (missing,)):
        agent.prometheus.firing = firing
        agent.clock.advance(60)
        agent.go()
        told.append(len(agent.escalated()))

    assert told == [0, 1, 1, 1, 2, 2]


def test_without_prometheus_nothing_is_decided(agent: Agent) -> None:
    """A Prometheus that cannot be asked starts no rollback: a human is."""
    agent.prometheus.error = PrometheusError("Prometheus is gone")

    run = agent.go()

    assert (run["result"], run["reason"], run["decision"]) == ("missing_data", "Prometheus is gone", None)
    assert (agent.escalated(), agent.executed()) == (["missing_data"], [])


@pytest.mark.parametrize(("level", "reason"), [(Level.FAST, "safety_check_failed"), (Level.FULL, "database_or_full")])
def test_without_the_target_nothing_is_planned(agent: Agent, level: Level, reason: str) -> None:
    """A target that cannot be read ends the run, with the reason that its level calls for."""
    agent.prometheus.firing = (branch(level=level),)
    agent.target.error = TargetError("it is gone")

    run = agent.go()

    assert (run["result"], run["plan"], agent.escalated()) == ("asked", None, [reason])
    assert run["reason"].endswith("but no plan can be made: it is gone")


def test_without_a_good_release_the_plan_is_refused(agent: Agent) -> None:
    """Where no other release is known good there is a plan to look at, and it is refused."""
    agent.target.ship("r3")
    agent.prometheus.when_asked = lambda _: None
    with agent.database.write() as tx:
        tx.exec_driver_sql("update release set good_at = null")

    run = agent.go()

    assert (run["result"], run["plan"]["target_release"]) == ("refused", None)
    assert [one["guardrail"] for one in run["refusals"]] == ["target_release_valid"]


@pytest.mark.parametrize(
    ("confidence", "result"),
    [(0.69, "recorded"), (0.70, None), (0.90, None), (0.91, "restored"), (1.0, "restored"), (0.0, "recorded")],
)
def test_the_bounds_of_confidence(agent: Agent, confidence: float, result: str | None) -> None:
    """At L4 it is recorded below 0.70, asked from 0.70 to 0.90 with both ends, and executed above."""
    agent.prometheus.firing = (branch(confidence=confidence),)

    run = agent.go()

    assert run["result"] == result
    assert (run["approval"] is not None, agent.executed() == [GOOD]) == (result is None, result == "restored")
    assert agent.escalated() == (["low_confidence"] if result is None else [])
    assert (run["plan"] is None) == (result == "recorded")


def test_both_bounds_can_be_configured(make_agent: Callable[..., Agent]) -> None:
    """What is sure enough is the operator's choice."""
    agent = make_agent(decision={"execute_above": 0.5, "ask_from": 0.2})
    agent.prometheus.firing = (branch(confidence=0.51),)

    assert agent.go()["result"] == "restored"


def test_the_plan_says_exactly_what_would_be_done(agent: Agent) -> None:
    """It names the live and the target release with their commits, the level, and the whole command."""
    plan = agent.go()["plan"]

    assert (plan["deployment"], plan["level"]) == ("qrl", "fast")
    assert (plan["live_release"], plan["target_release"], plan["target_commit"]) == (BAD, GOOD, "c" * 40)
    assert plan["command"][-4] == GOOD


def test_a_person_may_roll_back_while_prometheus_is_down(agent: Agent) -> None:
    """A request needs no alert and no Prometheus to be planned; it is asked about with its plan."""
    agent.prometheus.error = PrometheusError("gone")
    agent.request()

    run = agent.work()

    assert (run["decision"]["branch"], run["decision"]["signals"]) == ("operator", [])
    assert (run["state"], run["approval"]["state"]) == ("waiting", "pending")
