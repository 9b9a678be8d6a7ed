"""Alertmanager is told of every open escalation for as long as it is open, whatever becomes of either."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from receiver.escalate import LAPSES_AFTER, LINGER, LONGEST_PAUSE, Escalator
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.escalating import RESEND, answer, ask, escalator, work
from tests.receiver.journal.rows import counted
from tests.receiver.surroundings import ToldOfAlerts


def test_an_escalation_is_raised_at_once(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """It fires from when it was opened until ten times the interval from now."""
    id_ = ask(agent)
    work(escalator(agent, alertmanager))

    (alert,) = alertmanager.told
    assert alert.labels["escalation"] == id_
    assert alert.starts_at <= agent.clock()
    assert alert.ends_at - agent.clock() == pytest.approx(LAPSES_AFTER * RESEND, abs=5)
    assert counted(agent.database, "escalation_deliveries") == [({"outcome": "raised"}, 1)]


def test_it_is_kept_alive_until_it_is_answered(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """It is told again well before its end, with the same labels, and no more often than that."""
    ask(agent)
    escalating = escalator(agent, alertmanager)
    for _ in range(30):
        work(escalating)
        agent.clock.advance(RESEND / 2 + 0.1)

    assert len(alertmanager.told) == 15
    assert len({str(alert.labels) for alert in alertmanager.told}) == 1
    for earlier, later in pairwise(alertmanager.told):
        assert later.ends_at - LAPSES_AFTER * RESEND < earlier.ends_at - RESEND


@pytest.mark.parametrize("word", list(Answer))
def test_an_answer_ends_it(agent: Agent, alertmanager: ToldOfAlerts, word: Answer) -> None:
    """Whatever the answer is; once the second way has seen it too, and exactly once."""
    agent.clock.stand_still()
    escalating, id_ = escalator(agent, alertmanager), ask(agent)
    work(escalating)
    alertmanager.take()

    answer(agent, id_, word)
    agent.clock.advance(LINGER - 1)
    work(escalating)
    assert alertmanager.take() == []
    agent.clock.advance(2)
    work(escalating)
    agent.clock.advance(3600)
    work(escalating)

    assert [alert.labels["escalation"] for alert in alertmanager.told] == [id_]
    assert alertmanager.told[0].ends_at <= agent.clock() - 3600
    outcomes = sorted(counted(agent.database, "escalation_deliveries"), key=str)
    assert outcomes == [({"outcome": "ended"}, 1), ({"outcome": "raised"}, 1)]


def test_an_approval_that_was_given_ends_it(make_agent: Callable[..., Agent], alertmanager: ToldOfAlerts) -> None:
    """What asked to confirm a plan is settled by the decision, without a further answer."""
    agent = make_agent(decision={"execute_above": 0.995})
    agent.go()
    escalating = escalator(agent, alertmanager)
    work(escalating)
    assert alertmanager.told[0].labels["reason"] == "low_confidence"
    run = agent.run()
    operators = Operators(agent.database, agent.world.audit, agent.config)
    operators.approve(alertmanager.told[0].labels["incident"], run["plan"]["hash"], Person("ada", Via.PAGE), "")
    alertmanager.take()

    agent.clock.advance(LINGER + 1)
    work(escalating)

    assert len(alertmanager.told) == 1
    assert alertmanager.told[0].ends_at <= agent.clock()


def test_what_happens_while_alertmanager_is_down_is_told_when_it_is_back(
    agent: Agent, alertmanager: ToldOfAlerts
) -> None:
    """It is tried again and again, and an agent that is started anew meanwhile knows it from the journal."""
    alertmanager.down = True
    ask(agent)
    work(escalator(agent, alertmanager))
    ask(agent, "shop")
    agent.clock.advance(3600)
    work(escalator(agent, alertmanager))
    assert alertmanager.attempts == 2

    alertmanager.down = False
    work(escalator(agent, alertmanager))

    assert sorted(alertmanager.take()) == ["qrl", "shop"]


def test_pauses_grow_and_are_bounded(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """While Alertmanager is down it is asked less and less often, but at least every LONGEST_PAUSE seconds."""
    alertmanager.down = True
    ask(agent)
    escalating, tried_at = escalator(agent, alertmanager), []
    for _ in range(1200):
        before = alertmanager.attempts
        escalating.work_once()
        if alertmanager.attempts > before:
            tried_at.append(agent.clock())
        agent.clock.advance(0.1)

    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    assert pauses[:5] == pytest.approx([1, 2, 4, 8, LONGEST_PAUSE], abs=0.5)
    assert set(map(round, pauses[4:])) == {round(LONGEST_PAUSE)}

    alertmanager.down = False
    agent.clock.advance(LONGEST_PAUSE)
    work(escalating)
    assert alertmanager.take() == ["qrl"]
    alertmanager.down = True
    agent.clock.advance(RESEND + 1)
    work(escalating)
    agent.clock.advance(1.1)
    work(escalating)
    assert alertmanager.attempts == len(tried_at) + 3, "after a success the pauses begin anew"


def test_pauses_are_not_the_same_for_all(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """Replicas that lose Alertmanager in one moment do not come back in one."""
    alertmanager.down = True
    ask(agent)
    hasty = Escalator(agent.database, alertmanager, agent.config, agent.clock, lambda: 0.0)
    patient = Escalator(agent.database, alertmanager, agent.config, agent.clock, lambda: 1.0)
    for one in (hasty, patient):
        work(one)
    agent.clock.advance(0.7)
    for one in (hasty, patient):
        work(one)
    assert alertmanager.attempts == 3


def test_one_that_is_refused_stops_no_other(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """The others are told, also later ones at once; the refused one is tried again from time to time."""
    alertmanager.refuses = {"qrl"}
    ask(agent)
    ask(agent, "shop")
    escalating = escalator(agent, alertmanager)
    work(escalating)
    ask(agent, "other")
    work(escalating)
    assert alertmanager.take() == ["shop", "other"]
    assert alertmanager.attempts == 3

    alertmanager.refuses = set()
    agent.clock.advance(RESEND + 1)
    work(escalating)

    assert "qrl" in alertmanager.take()
    assert ({"outcome": "refused"}, 1) in counted(agent.database, "escalation_deliveries")


def test_an_answer_while_it_is_told_leaves_nothing_behind(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """What was raised after its end by a slower replica is ended again."""
    id_ = ask(agent)
    first, second = escalator(agent, alertmanager), escalator(agent, alertmanager)
    work(first)
    agent.clock.advance(RESEND + 1)

    def answered_and_ended() -> None:
        alertmanager.meanwhile = lambda: None
        answer(agent, id_)
        agent.clock.advance(LINGER + 1)
        work(first)

    alertmanager.meanwhile = answered_and_ended
    assert second.work_once()
    alertmanager.take()
    work(second)

    assert len(alertmanager.told) == 1
    assert alertmanager.told[0].ends_at <= agent.clock()


def test_replicas_share_the_work(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """What one has told another need not tell again, and both say the same."""
    ask(agent)
    first, second = escalator(agent, alertmanager), escalator(agent, alertmanager)
    for escalating in (first, second, first, second):
        work(escalating)
        agent.clock.advance(RESEND / 2 + 0.1)

    assert len(alertmanager.told) == 2
    assert alertmanager.told[0].labels == alertmanager.told[1].labels
