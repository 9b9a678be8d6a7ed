"""After a rollback that failed or whose result is unknown, a person comes first."""

from __future__ import annotations

import pytest

from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.latched import latched
from receiver.journal import deployments
from receiver.model import Refusal
from tests.receiver.guardrails.builders import NOW, Surroundings, facts


def test_refuses_after_a_failure() -> None:
    """It alone refuses, says why the deployment is latched, and names the command that lifts the latch."""
    said_no = refusals(facts(latch="the command ended with exit code 1"))
    reason = "the command ended with exit code 1; `rollback-agent clear qrl` lifts the latch"
    assert said_no == (Refusal("latched", reason),)


def test_allows_without_a_latch() -> None:
    """A deployment that nobody latched is not held up."""
    assert latched(facts()) is None


def test_latch_of_another_deployment_does_not_count(surroundings: Surroundings) -> None:
    """Each deployment has its own latch, and clearing it lets the deployment go on."""
    with surroundings.database.write() as tx:
        deployments.latch(tx, "other", NOW, "it failed")
    assert refusals(surroundings.read()) == ()
    with surroundings.database.write() as tx:
        deployments.latch(tx, "qrl", NOW, "it failed")
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["latched"]
    with surroundings.database.write() as tx:
        deployments.clear_latch(tx, "qrl")
    assert refusals(surroundings.read()) == ()


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Where nobody knows whether there is a latch, no facts are given and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError, match="not a database"):
        surroundings.read()
