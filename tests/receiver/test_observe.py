"""A release proves good by being live long enough in quiet; not knowing is never good."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from receiver.errors import PrometheusError, TargetError
from receiver.journal import deployments, releases
from receiver.journal.database import Database
from receiver.model import Release
from receiver.observe import observe
from tests.postgres import Postgres
from tests.receiver import migrated
from tests.receiver.agent import Agent
from tests.receiver.running_commands import wait_for
from tests.receiver.surroundings import BAD, GOOD

PERIOD = 900.0


@pytest.fixture
def watched(agent: Agent) -> Agent:
    """An agent whose live release is BAD, for no time yet, in quiet."""
    ship(agent, BAD)
    return agent


def ship(agent: Agent, release: str, ago: float = 0.0) -> float:
    """Make a release live, some seconds ago; the moment."""
    moment = agent.clock() - ago
    agent.target.ship(release)
    agent.target.since = lambda: moment
    return moment


def look(agent: Agent) -> dict[str, Release]:
    """Observe once; what is remembered of the releases."""
    observe(agent.world, agent.prometheus)
    with agent.database.read() as tx:
        return releases.known(tx, "qrl")


def test_a_release_is_good_after_its_period_in_quiet(watched: Agent) -> None:
    """Live for the whole period without a branch, and not a moment before, it is known good, from then on."""
    assert look(watched)[BAD].good_at is None
    watched.clock.advance(PERIOD - 2)
    assert look(watched)[BAD].good_at is None
    watched.clock.advance(3)

    found = look(watched)[BAD]

    assert found.good_at == pytest.approx(watched.clock(), abs=2)
    watched.prometheus.quiet = False
    watched.clock.advance(60)
    assert look(watched)[BAD] == found


def test_a_release_that_was_not_quiet_is_not_good(watched: Agent) -> None:
    """A branch within the period keeps it from being good until there was quiet for long enough."""
    watched.clock.advance(PERIOD + 1)
    watched.prometheus.quiet = False
    assert look(watched)[BAD].good_at is None
    watched.prometheus.quiet = True

    assert look(watched)[BAD].good_at is not None


def test_quiet_is_asked_for_the_whole_period(make_agent: Callable[..., Agent]) -> None:
    """What is asked of Prometheus is the quiet of `good_after`, not of the moment."""
    agent = make_agent(qrl={"good_after": "10m"})
    ship(agent, BAD, ago=700)
    asked: list[tuple[str, float]] = []

    class History:
        def quiet_for(self, deployment: str, seconds: float) -> bool:
            asked.append((deployment, seconds))
            return False

    observe(agent.world, History())

    assert asked == [("qrl", 600.0)]


def test_without_prometheus_nothing_becomes_good(watched: Agent) -> None:
    """While Prometheus does not answer, however long, no release proves good; then it may."""
    watched.prometheus.error = PrometheusError("gone")
    for _ in range(3):
        watched.clock.advance(PERIOD)
        assert look(watched)[BAD].good_at is None
    watched.prometheus.error = None

    assert look(watched)[BAD].good_at is not None


def test_a_held_release_never_becomes_good(watched: Agent) -> None:
    """A release that was rolled back stays what it is, though it should be live again in quiet."""
    look(watched)
    with watched.database.write() as tx:
        releases.hold(tx, "qrl", BAD, watched.clock(), "run1")
    watched.clock.advance(PERIOD * 2)

    assert look(watched)[BAD].good_at is None


def test_a_release_of_unknown_age_is_not_good(watched: Agent) -> None:
    """Where the target does not say since when its release is live, it has not been live for long."""
    watched.target.since = lambda: None
    watched.clock.advance(PERIOD * 2)

    assert look(watched)[BAD].good_at is None


def test_being_shipped_again_starts_the_period_anew(watched: Agent) -> None:
    """The time that counts is that of being live now, not that of an earlier life."""
    look(watched)
    watched.clock.advance(PERIOD - 10)
    again = ship(watched, BAD)
    watched.clock.advance(20)

    found = look(watched)[BAD]

    assert (found.good_at, found.live_since) == (None, again)


def test_what_the_target_knows_is_remembered(watched: Agent) -> None:
    """New releases, the live one among them, are remembered with their commits; only the live one is live."""
    moment = ship(watched, "r3")

    found = look(watched)

    assert (found["r3"].commit, found["r3"].live_since) == ("c" * 40, moment)
    assert found[GOOD].live_since is None


def test_a_target_that_cannot_be_read_changes_nothing(watched: Agent) -> None:
    """What was known stays known, and the next look may succeed."""
    before = look(watched)
    watched.target.error = TargetError("gone")
    watched.clock.advance(PERIOD * 2)

    assert look(watched) == before
    watched.target.error = None
    assert look(watched)[BAD].good_at is not None


def test_without_prometheus_the_live_release_is_still_told(watched: Agent) -> None:
    """Which release is live does not depend on Prometheus."""
    watched.prometheus.error = PrometheusError("gone")
    moment = ship(watched, "r3")

    assert look(watched)["r3"].live_since == moment


def test_a_release_that_is_built_anew_in_its_place_proves_good_anew(watched: Agent) -> None:
    """Another commit under the live release's name begins its period anew, although its link was not touched."""
    look(watched)
    watched.clock.advance(PERIOD + 1)
    assert look(watched)[BAD].good_at is not None
    watched.target.commits[BAD] = "e" * 40

    assert look(watched)[BAD].good_at is None
    watched.clock.advance(PERIOD - 2)
    assert look(watched)[BAD].good_at is None
    watched.clock.advance(3)
    assert look(watched)[BAD].good_at is not None


def test_a_release_that_was_announced_is_live_since_its_switch(watched: Agent) -> None:
    """What a pipeline reported of a release before the target knew it does not make it look built anew."""
    with watched.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", watched.clock(), commit="abc1234", author=None)
    moment = ship(watched, "r3")
    watched.clock.advance(30)

    assert look(watched)["r3"].live_since == moment


def test_a_look_waits_for_a_switch_that_is_being_remembered(agent: Agent, postgres: Postgres) -> None:
    """Both write the same releases, in different orders: neither may end with PostgreSQL finding a deadlock."""
    database = Database(postgres.new_database())
    migrated.make(database)
    world = replace(agent.world, database=database)
    agent.target.ship(GOOD)
    observe(world, agent.prometheus)

    def waits() -> bool:
        with database.read() as tx:
            return bool(tx.exec_driver_sql("select count(*) from pg_locks where not granted").scalar())

    with ThreadPoolExecutor(1) as another:
        with database.write() as tx:
            deployments.lock(tx, "qrl")
            releases.hold(tx, "qrl", BAD, agent.clock(), "a run")
            look = another.submit(observe, world, agent.prometheus)
            wait_for(waits)
            releases.set_live(tx, "qrl", GOOD, agent.clock(), by_run="a run")
        look.result(60)

    with database.read() as tx:
        assert releases.known(tx, "qrl")[BAD].held_at is not None
    database.close()
