"""What becomes of a call while the journal, Alertmanager or the clock fails."""

from __future__ import annotations

from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from receiver.errors import JournalError
from receiver.escalate import LONGEST_PAUSE
from tests.receiver.agent import Agent
from tests.receiver.escalating import answer, ask, escalator, work
from tests.receiver.surroundings import ToldOfAlerts


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
