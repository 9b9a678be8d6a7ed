"""What no longer fires is not rolled back any more."""

from __future__ import annotations

from dataclasses import replace

from receiver.guardrails.alert_still_firing import alert_still_firing
from receiver.guardrails.checklist import refusals
from receiver.model import Action, Refusal, Trigger
from tests.receiver.guardrails.builders import SERVICE_DOWN, Surroundings, facts


def test_refuses_when_nothing_fires_any_more() -> None:
    """It alone refuses, and it names the branch that had decided."""
    said_no = refusals(facts(firing=frozenset()))
    reason = "service_down no longer fires, nor does any other rollback branch"
    assert said_no == (Refusal("alert_still_firing", reason),)


def test_allows_while_any_rollback_branch_fires() -> None:
    """Another rollback branch is as good a reason as the one that decided."""
    assert alert_still_firing(facts()) is None
    assert alert_still_firing(facts(firing=frozenset({"high_error_rate"}))) is None


def test_a_person_needs_no_alert() -> None:
    """A rollback by hand goes on without a firing branch, and without Prometheus."""
    assert alert_still_firing(facts(trigger=Trigger.OPERATOR, firing=frozenset())) is None
    assert alert_still_firing(facts(trigger=Trigger.OPERATOR, firing=None)) is None


def test_unknown_refuses() -> None:
    """Not knowing what fires refuses, it alone, with the reason."""
    said_no = refusals(facts(firing=None, firing_unknown="Prometheus cannot be asked"))
    assert said_no == (Refusal("alert_still_firing", "it is not known what fires: Prometheus cannot be asked"),)


def test_it_is_asked_anew_and_only_rollback_branches_count(surroundings: Surroundings) -> None:
    """Each look asks Prometheus again; a branch that only watches is no reason, and no answer is none either."""
    assert refusals(surroundings.read()) == ()
    surroundings.firing.branches = (replace(SERVICE_DOWN, action=Action.WATCH, level=None, confidence=None),)
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["alert_still_firing"]
    surroundings.firing.unknown = "connection refused"
    refused = {refusal.guardrail: refusal.reason for refusal in refusals(surroundings.read())}
    assert refused["alert_still_firing"] == "it is not known what fires: connection refused"
