"""A held release is deployed by nobody, under no name, and nothing is deployed into a rollback."""

from __future__ import annotations

import pytest

from receiver.gate import obstacles
from receiver.journal import releases
from receiver.journal.database import Database
from receiver.model import Release
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD


def of(database: Database, release: str, commit: str | None = None) -> tuple[str, ...]:
    with database.read() as tx:
        return obstacles(tx, "qrl", release, commit)


def test_what_was_rolled_back_is_refused_until_it_is_let_go(agent: Agent) -> None:
    """What a rollback left is held; the good one and a new one are free, and so is it once a person says so."""
    agent.go()

    (why,) = of(agent.database, BAD)
    assert why.startswith(f"{BAD} has been held since 20")
    assert why.endswith(f"(by {agent.run()['id']})")
    assert (of(agent.database, GOOD), of(agent.database, "r3")) == ((), ())
    with agent.database.write() as tx:
        releases.end_hold(tx, "qrl", BAD)
    assert of(agent.database, BAD) == ()


@pytest.mark.parametrize(
    ("commit", "is_refused"),
    [
        ("d" * 40, True),
        ("d" * 7, True),
        ("d" * 6, False),
        ("d" * 41, True),
        ("e" * 40, False),
        ("", False),
        (None, False),
    ],
)
def test_the_same_commit_under_another_name_is_the_same(agent: Agent, commit: str | None, is_refused: bool) -> None:
    """However its commit is abbreviated; too few characters say nothing."""
    agent.go()
    assert bool(of(agent.database, "r3", commit)) is is_refused


def test_a_commit_that_only_a_pipeline_told_counts(agent: Agent) -> None:
    """A target that knows no commits leaves it to the pipeline."""
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r9", agent.clock(), commit="abcdef0", author=None)
        releases.hold(tx, "qrl", "r9", agent.clock(), "ada")
    assert of(agent.database, "r10", "abcdef0123") != ()


def test_nothing_is_deployed_into_a_rollback(agent: Agent) -> None:
    """From the claim to the verdict any release is refused."""
    agent.prometheus.health = {}
    agent.go()
    assert of(agent.database, "r3") == (f"a rollback of qrl is under way (run {agent.run()['id']})",)
    assert agent.wait(900)["result"] == "inconclusive"
    assert of(agent.database, "r3") == ()


def test_another_deployments_holds_are_its_own(agent: Agent) -> None:
    """The same id elsewhere is another release."""
    with agent.database.write() as tx:
        releases.seen(tx, "shop", (Release("r3", None),), agent.clock())
        releases.hold(tx, "shop", "r3", agent.clock(), "ada")
    assert of(agent.database, "r3") == ()
