"""What happened in an incident stands in one line of time."""

from __future__ import annotations

from receiver.journal import escalations, hotfixes, views
from receiver.journal.database import Database
from receiver.journal.hotfixes import HotfixState
from receiver.model import EscalationReason
from receiver.web.timeline import Event, events
from tests.receiver.agent import Agent


def test_everything_stands_in_order(agent: Agent) -> None:
    """The notification, each step, the command's verdict, what people said, and the end, oldest first."""
    agent.go()
    shown = events(of_newest(agent.database))
    assert [one.at for one in shown] == sorted(one.at for one in shown)
    names = [one.what for one in shown]
    order = ("incident opened", "evaluate", "guard", "approve", "claim", "back up", "execute", "verify", "report")
    assert [name for name in names if name in order] == list(order)
    assert "run ended: restored" in names
    assert names[-1] == "incident closed"


def test_what_people_said_is_there(agent: Agent) -> None:
    """A hotfix and an escalation with its answer are told with who and why."""
    agent.go()
    incident = of_newest(agent.database)["id"]
    now = agent.clock()
    with agent.database.write() as tx:
        hotfixes.start(tx, "qrl", now, 60, "ada", "flag off")
        hotfixes.end(tx, "qrl", now + 1, HotfixState.DONE, "bob")
        escalations.open_one(tx, "qrl", EscalationReason.LIMIT_REACHED, "no more", now + 2, incident=incident)
        (asked,) = escalations.find(tx, incident=incident)
        escalations.answer(tx, asked.id, now + 3, "eve", escalations.DONE, "by hand")
    shown = events(of_newest(agent.database) | {"hotfixes": hotfix_rows(agent.database)})
    assert [event for event in shown if event.at >= now] == [
        Event(now, "hotfix started", "by ada: flag off"),
        Event(now + 1, "hotfix done", "by bob"),
        Event(now + 2, "escalation: limit reached", "no more"),
        Event(now + 3, "escalation answered: done", "by eve: by hand"),
    ]


def of_newest(database: Database) -> views.View:
    """The newest incident."""
    with database.read() as tx:
        return views.incidents(tx)[0]


def hotfix_rows(database: Database) -> list[views.View]:
    """Every hotfix, as an incident of its time would show it."""
    with database.read() as tx:
        return [dict(row._mapping) for row in tx.exec_driver_sql("select * from hotfix")]
