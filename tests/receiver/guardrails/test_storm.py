"""When everything fails at once, no single release is to blame."""

from __future__ import annotations

import pytest

from receiver.config.guardrails import Guardrails
from receiver.guardrails.checklist import refusals
from receiver.guardrails.storm import storm
from receiver.model import Refusal, Storm, Trigger
from tests.receiver.guardrails.builders import Surroundings, facts


def failing(count: int, *dependencies: str) -> Storm:
    """So many deployments that ask for a rollback."""
    return Storm(frozenset(f"d{number}" for number in range(count)), frozenset(dependencies))


def test_refuses_when_many_fail_at_once() -> None:
    """Four deployments, where three are allowed, refuse, it alone, and are named (T13)."""
    said_no = refusals(facts(storm=failing(4)))
    reason = "4 deployments ask for a rollback at once (d0, d1, d2, d3), 3 may"
    assert said_no == (Refusal("storm", reason),)


@pytest.mark.parametrize(
    ("count", "named"),
    [(5, "d0, d1, d2, d3, d4"), (6, "d0, d1, d2, d3, d4, ..."), (1000, "d0, d1, d10, d100, d101, ...")],
)
def test_of_very_many_the_first_are_named(count: int, named: str) -> None:
    """A thousand names would hide the rest of the report; five are all told, of six the last is left out."""
    found = storm(facts(storm=failing(count)))
    assert found == Refusal("storm", f"{count} deployments ask for a rollback at once ({named}), 3 may")


def test_refuses_while_a_shared_dependency_alerts() -> None:
    """One alert about what is shared refuses, it alone, however few deployments fail."""
    said_no = refusals(facts(storm=failing(1, "PostgresDown", "DnsBroken")))
    reason = "DnsBroken, PostgresDown fires, which is about what several deployments share"
    assert said_no == (Refusal("storm", reason),)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_allows_a_few(count: int) -> None:
    """Up to the configured number may be rolled back at the same time."""
    assert storm(facts(storm=failing(count))) is None


def test_how_many_is_configuration() -> None:
    """With one allowed, two refuse."""
    limits = Guardrails.model_validate({"storm": {"deployments": 1}})
    assert storm(facts(limits=limits, storm=failing(2))) is not None


def test_unknown_refuses() -> None:
    """Not knowing what else fires refuses, it alone, with the reason."""
    said_no = refusals(facts(storm=None, storm_unknown="Prometheus cannot be asked"))
    assert said_no == (Refusal("storm", "it is not known what else fires: Prometheus cannot be asked"),)


def test_a_person_has_seen_what_else_fails() -> None:
    """A rollback by hand goes on in a storm, and without Prometheus."""
    assert storm(facts(storm=failing(50, "DnsBroken"), trigger=Trigger.OPERATOR)) is None
    assert storm(facts(storm=None, trigger=Trigger.OPERATOR)) is None


def test_the_configured_dependencies_are_asked_for(surroundings: Surroundings) -> None:
    """Only an alert that the configuration names is a dependency."""
    surroundings.firing.elsewhere = failing(1, "PostgresDown")
    assert refusals(surroundings.read()) == ()
    surroundings.limit({"storm": {"dependencies": ["PostgresDown"]}})
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["storm"]
