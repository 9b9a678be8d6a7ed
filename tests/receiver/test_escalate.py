"""Alertmanager is told of every open escalation for as long as it is open, whatever becomes of either."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from receiver.errors import JournalError
from receiver.escalate import LAPSES_AFTER, LINGER, LONGEST_PAUSE, Escalator
from receiver.journal import escalations
from receiver.model import EscalationReason
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.journal.rows import counted
from tests.receiver.surroundings import ToldOfAlerts

RESEND = 20.0


@pytest.fixture
def alertmanager() -> ToldOfAlerts:
    """An Alertmanager that takes everything."""
    return ToldOfAlerts()


def escalator(agent: Agent, alertmanager: ToldOfAlerts) -> Escalator:
    """One as a new process would have it, on the clock of the test."""
    return Escalator(agent.database, alertmanager, agent.config, agent.clock, lambda: 1.0)


def ask(agent: Agent, deployment: str = "qrl", reason: EscalationReason = EscalationReason.UNKNOWN_PATTERN) -> str:
    """Open an escalation; its id."""
    with agent.database.write() as tx:
        escalations.open_one(tx, deployment, reason, f"{deployment} is odd", agent.clock())
        return escalations.find(tx)[-1].id


def answer(agent: Agent, escalation: str, word: Answer = Answer.DONE) -> None:
    """A person answers."""
    operators = Operators(agent.database, agent.world.audit, agent.config)
    operators.answer(escalation, word, Person("ada", Via.PAGE), "")


def work(escalating: Escalator) -> None:
    """Tell all that is due."""
    for _ in range(50):
        if not escalating.work_once():
            return
    raise AssertionError("it tells without an end")


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


def test_a_kill_after_the_telling_tells_once_more(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """Between Alertmanager's yes and the journal nothing is lost: the same alert is told again."""
    ask(agent)

    def killed() -> None:
        raise KeyboardInterrupt

    alertmanager.meanwhile = killed
    with pytest.raises(KeyboardInterrupt):
        escalator(agent, alertmanager).work_once()
    alertmanager.meanwhile = lambda: None
    work(escalator(agent, alertmanager))

    assert alertmanager.take() == ["qrl", "qrl"]


def test_a_clock_that_was_set_back_makes_no_bad_alert(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """An alert never begins after it ends, whatever the clock said when it was opened."""
    id_ = ask(agent)
    agent.clock.advance(-3600)
    escalating = escalator(agent, alertmanager)
    work(escalating)
    answer(agent, id_)
    agent.clock.advance(-7200)
    work(escalating)

    assert all(alert.starts_at <= alert.ends_at for alert in alertmanager.told)
    assert len(alertmanager.told) == 2


def test_a_journal_that_cannot_be_read_is_no_silence(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """It is an error, which the workers log and try again; the second way tells people of it."""
    ask(agent)
    with agent.database.write() as tx:
        tx.exec_driver_sql("alter table escalation rename to gone")
    with pytest.raises(JournalError):
        escalator(agent, alertmanager).work_once()


def test_a_journal_that_cannot_be_written_keeps_no_call_from_alertmanager(
    agent: Agent, alertmanager: ToldOfAlerts
) -> None:
    """Each open escalation is told in its turn, and no more often than ever, though no telling can be remembered."""
    for deployment in ("qrl", "shop"):
        ask(agent, deployment)
    with agent.database.write() as tx:
        full = "create trigger full before update on escalation begin select raise(abort, 'disk full'); end"
        tx.exec_driver_sql(full)
    escalating = escalator(agent, alertmanager)

    def look(times: int) -> list[str]:
        for _ in range(times):
            with suppress(JournalError):
                escalating.work_once()
        return sorted(alertmanager.take())

    assert look(10) == ["qrl", "shop"]
    agent.clock.advance(agent.config.alertmanager.resend_every + 1)
    assert look(10) == ["qrl", "shop"]


def test_an_hour_without_alertmanager_is_told_once(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """Asked all the time for an hour in vain, it hears of each escalation exactly once when it is back."""
    ids = {ask(agent), ask(agent, "shop")}
    alertmanager.down = True
    escalating = escalator(agent, alertmanager)
    for _ in range(3600):
        escalating.work_once()
        agent.clock.advance(1)
    attempts = alertmanager.attempts
    alertmanager.down = False
    agent.clock.advance(LONGEST_PAUSE)
    work(escalating)

    assert attempts >= 3600 / LONGEST_PAUSE
    assert sorted(alert.labels["escalation"] for alert in alertmanager.told) == sorted(ids)


def test_what_fails_and_works_again_is_logged_once(agent: Agent, alertmanager: ToldOfAlerts) -> None:
    """A night without Alertmanager is two lines and not thousands."""
    alertmanager.down = True
    ask(agent)
    escalating = escalator(agent, alertmanager)
    with capture_logs() as log:
        for _ in range(20):
            work(escalating)
            agent.clock.advance(LONGEST_PAUSE + 1)
        alertmanager.down = False
        work(escalating)

    events = [line["event"] for line in log]
    assert events.count("no human can be called, will be tried again") == 1
    assert events.count("Alertmanager takes calls for a human again") == 1
    assert events.count("a human is called through Alertmanager") == 1
