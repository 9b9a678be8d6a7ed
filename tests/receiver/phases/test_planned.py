"""What the first look at a run plans, what it keeps of the facts, and what it remembers of the releases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.errors import PrometheusError, TargetError
from receiver.journal import judgements, releases
from receiver.judgements import EVALUATED, Evaluated
from receiver.model import Action, Level, Plan, Release, Run, Trigger
from receiver.phases.evaluate import evaluate
from receiver.rules.groups import Group
from tests.receiver.agent import Agent
from tests.receiver.phases.before import begun
from tests.receiver.surroundings import BAD, GOOD, ToldTree, branch
from tests.receiver.tree import builders


def requested(run: Run, level: Level = Level.FAST) -> Run:
    """The run, as if a person had asked for it."""
    return replace(run, trigger=Trigger.OPERATOR, wanted_level=level, requested_by="ada")


def plan_of(run: Run, agent: Agent) -> Plan:
    return evaluate(run, agent.world).findings.require_plan()


@pytest.mark.parametrize(("level", "timeout"), [(Level.FAST, 10.0), (Level.FULL, 20.0)])
def test_the_command_is_that_of_the_level(agent: Agent, level: Level, timeout: float) -> None:
    """Made for the live release, with the time that such a rollback may take."""
    agent.prometheus.firing = (branch(level=level),)

    plan = plan_of(begun(agent), agent)

    assert (plan.level, plan.command[-4], plan.command[-2:], plan.timeout) == (level, GOOD, (level, BAD), timeout)


def test_by_hand_the_code_is_rolled_back(agent: Agent) -> None:
    """What a person is told to do is the command of a fast rollback."""
    plan = plan_of(requested(begun(agent), Level.MANUAL), agent)

    assert (plan.level, plan.command[-2], plan.timeout) == (Level.MANUAL, Level.FAST, 10.0)


def test_who_asked_is_named(agent: Agent) -> None:
    """The reason of a decision that no branch made."""
    assert evaluate(requested(begun(agent)), agent.world).findings.require_decision().reason == "requested by ada"


def kept(agent: Agent) -> Evaluated:
    """What was kept of the newest run's evaluation, once it was worked on."""
    with agent.database.read() as tx:
        judged = judgements.of_run(tx, agent.run()["id"])["evaluate"].judged
    return EVALUATED.read(judged.facts)


def test_the_tree_is_kept_as_it_stood(agent: Agent) -> None:
    """With a decision, whether it is a rollback or only recorded."""
    tree = agent.world.tree
    assert isinstance(tree, ToldTree)
    rule = builders.branch("service_down", 1, "a > 1", builders.alert("firing", 1))
    tree.groups = (Group("tree", (rule,), 10.0, agent.clock()),)
    for firing in (branch("minor_impact", Action.WATCH), branch()):
        agent.prometheus.firing = (firing,)
        agent.go()

        found = kept(agent)

        assert found.tree is not None
        assert (found.tree.groups, found.tree.deployment, found.tree_unknown) == (tree.groups, "qrl", None)


def test_why_there_is_no_tree_is_kept(agent: Agent) -> None:
    """It could not be read, or there was nothing to explain by it."""
    tree = agent.world.tree
    assert isinstance(tree, ToldTree)
    tree.error = PrometheusError("the rules are gone")
    agent.prometheus.firing = (branch("minor_impact", Action.WATCH),)
    agent.go()
    assert (kept(agent).tree, kept(agent).tree_unknown) == (None, "the rules are gone")

    agent.prometheus.error = PrometheusError("it is gone")
    agent.clock.advance(600)
    agent.prometheus.firing = (branch(),)
    agent.go()
    found = kept(agent)
    assert (found.tree, found.tree_unknown) == (None, "nothing was decided")
    assert found.facts.telemetry_unknown == "it is gone"


def test_only_a_rollback_asks_for_what_is_around(agent: Agent) -> None:
    """The releases and what speaks for the live one are read for a plan alone."""
    agent.prometheus.firing = (branch("minor_impact", Action.WATCH),)
    agent.go()
    assert (kept(agent).facts.releases, kept(agent).facts.around) == (None, None)

    agent.prometheus.firing = (branch(service="flask"),)
    agent.go()
    found = kept(agent).facts
    assert found.releases is not None
    assert found.around is not None
    assert (found.releases.live.id, found.around.affected) == (BAD, ("flask",))


def good(agent: Agent) -> set[tuple[str, str]]:
    """The releases that are known good, each with its deployment."""
    with agent.database.read() as tx:
        known = {deployment: releases.known(tx, deployment) for deployment in ("qrl", "shop")}
    return {(name, one.id) for name, found in known.items() for one in found.values() if one.good_at is not None}


def test_an_alert_casts_doubt_on_the_live_release_alone(agent: Agent) -> None:
    """It has to prove good anew. A person who asks says nothing about it, nor does an alert without a plan."""
    with agent.database.write() as tx:
        releases.seen(tx, "shop", (Release(BAD, None),), agent.clock())
        for deployment in ("qrl", "shop"):
            releases.set_good(tx, deployment, BAD, agent.clock())
    all_good = {("qrl", GOOD), ("qrl", BAD), ("shop", BAD)}
    run = begun(agent)

    evaluate(requested(run), agent.world)
    assert good(agent) == all_good
    agent.target.error = TargetError("it is gone")
    evaluate(run, agent.world)
    assert good(agent) == all_good
    agent.target.error = None
    evaluate(run, agent.world)
    assert good(agent) == all_good - {("qrl", BAD)}
