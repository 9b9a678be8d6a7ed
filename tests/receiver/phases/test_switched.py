"""What is remembered of the releases and the hotfix once a rollback has switched."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import hotfixes, releases, tables
from receiver.journal.approvals import ApprovalState
from tests.receiver.agent import Agent
from tests.receiver.surroundings import GOOD


def test_the_release_is_live_by_this_run(agent: Agent) -> None:
    """Since the target says, so that the run's own release is not taken for a new deploy."""
    run = agent.go()

    live = agent.target.live()
    with agent.database.read() as tx:
        assert releases.live_by_run(tx, "qrl", live) == run["id"]
        remembered = releases.known(tx, "qrl")[GOOD]
    assert (remembered.id, remembered.live_since) == (live.id, live.live_since)


def test_the_hotfix_ended_with_the_switch(agent: Agent) -> None:
    """At the moment at which the other release went live."""
    with agent.database.write() as tx:
        assert hotfixes.start(tx, "qrl", agent.clock(), 600, "ada", "")

    assert agent.go()["result"] == "restored"

    with agent.database.read() as tx:
        ended_at = tx.execute(sa.select(tables.hotfix.c.ended_at)).scalar_one()
    assert ended_at == agent.target.since()


def test_a_release_that_nobody_had_looked_at_is_held_with_its_commit(agent: Agent) -> None:
    """Rolled back by hand right after its deploy, it is remembered as what it was."""
    agent.target.commits["r3"] = "e" * 40
    agent.target.ship("r3")
    agent.request()
    assert agent.work()["approval"]["state"] == "pending"
    agent.decide(ApprovalState.APPROVED)

    assert (agent.work()["result"], agent.held()) == ("restored", ["r3"])

    with agent.database.read() as tx:
        assert releases.known(tx, "qrl")["r3"].commit == "e" * 40
