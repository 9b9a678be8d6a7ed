"""The metrics of what people and pipelines announce are what the rules compare: a deadline, and yes or no."""

from __future__ import annotations

from receiver.journal import hotfixes, releases
from receiver.journal.hotfixes import HotfixState
from receiver.journal.releases import Migration
from receiver.observe import observe
from tests.receiver.agent import Agent
from tests.receiver.test_metrics import scrape, value


def test_a_hotfix_shows_until_it_is_resolved(agent: Agent) -> None:
    """Its deadline is told also once it is past; a failed one has none, and a resolved one leaves zeros."""

    def told() -> tuple[float, float]:
        samples = scrape(agent)
        deadline = value(samples, "rollback_hotfix_deadline_timestamp_seconds", deployment="qrl")
        return deadline, value(samples, "rollback_hotfix_failed", deployment="qrl")

    assert told() == (0, 0)
    with agent.database.write() as tx:
        started = hotfixes.start(tx, "qrl", agent.clock(), 600, "ada", "")
    assert started is not None
    assert told() == (started.deadline, 0)
    agent.clock.advance(700)
    assert told() == (started.deadline, 0)
    with agent.database.write() as tx:
        hotfixes.end(tx, "qrl", agent.clock(), HotfixState.FAILED, "ada")
    assert told() == (0, 1)
    with agent.database.write() as tx:
        hotfixes.end(tx, "qrl", agent.clock(), HotfixState.DONE, "ada")
    assert told() == (0, 0)


def test_deploys_and_failed_migrations_show(agent: Agent) -> None:
    """A deploy is told while it is under way, a failed migration while its release is the live one."""

    def told() -> tuple[float, float]:
        samples = scrape(agent)
        deploying = value(samples, "release_in_progress", deployment="qrl")
        return deploying, value(samples, "release_migration_failed", deployment="qrl")

    assert told() == (0, 0)
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", agent.clock(), commit=None, author=None)
    assert told() == (1, 0)
    with agent.database.write() as tx:
        releases.deploy_finished(tx, "qrl", "r3", agent.clock(), Migration.FAILED)
    observe(agent.world, agent.prometheus)
    assert told() == (0, 0)
    agent.target.ship("r3")
    agent.clock.advance(1)
    observe(agent.world, agent.prometheus)
    assert told() == (0, 1)
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", agent.clock(), commit=None, author=None)
    assert told() == (1, 0)
    agent.clock.advance(releases.LONGEST_DEPLOY)
    assert told() == (0, 0)
