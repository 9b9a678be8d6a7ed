"""A silence is a maintenance window, in which nobody else acts."""

from __future__ import annotations

from dataclasses import replace

from receiver.durations import clock_time
from receiver.guardrails.checklist import refusals
from receiver.guardrails.silenced import silenced
from receiver.model import Refusal, Silence, Trigger
from tests.receiver.guardrails.builders import NOW, SERVICE_DOWN, Surroundings, facts

SILENCE = Silence("1a2b", "ada", "moving the database", NOW + 1800)


def test_refuses_while_it_is_silenced() -> None:
    """It alone refuses, says who silenced it and why, and to ask again when the silence ends."""
    said_no = refusals(facts(silences=(SILENCE,)))
    until = clock_time(NOW + 1800)
    reason = f"ada has silenced service_down until {until} (moving the database; silence 1a2b)"
    assert said_no == (Refusal("silenced", reason, retry_at=NOW + 1800),)


def test_the_last_silence_to_end_is_told() -> None:
    """Of several silences the one that ends last says when to ask again."""
    found = silenced(facts(silences=(SILENCE, Silence("3c4d", "grace", "a test", NOW + 60))))
    assert found is not None
    assert found.retry_at == NOW + 1800


def test_a_long_comment_is_cut() -> None:
    """What anybody may write there does not fill the report: its first 200 characters are told."""
    found = silenced(facts(silences=(replace(SILENCE, comment="x" * 5000),)))
    assert found is not None
    assert f"({'x' * 200}; silence 1a2b)" in found.reason


def test_allows_what_nobody_has_silenced() -> None:
    """Without a silence it has nothing to say."""
    assert silenced(facts()) is None


def test_unknown_refuses() -> None:
    """Not knowing what is silenced refuses, it alone, with the reason."""
    said_no = refusals(facts(silences=None, silences_unknown="Alertmanager cannot be asked"))
    reason = "it is not known whether what fires is silenced: Alertmanager cannot be asked"
    assert said_no == (Refusal("silenced", reason),)


def test_a_person_may_act_in_a_maintenance_window() -> None:
    """A rollback by hand may be the maintenance itself, and goes on without Alertmanager."""
    assert silenced(facts(silences=(SILENCE,), trigger=Trigger.OPERATOR)) is None
    assert silenced(facts(silences=None, trigger=Trigger.OPERATOR)) is None


def test_one_alert_that_is_not_silenced_is_enough(surroundings: Surroundings) -> None:
    """Once the branch that decided fires no longer, it refuses only where every other that asks is silenced."""
    another = replace(SERVICE_DOWN, branch="high_error_rate", labels=(("alertname", "HighErrorRate"),))
    surroundings.firing.branches = (SERVICE_DOWN, another)
    surroundings.silences.of = {"ServiceDown": (SILENCE,)}
    assert refusals(surroundings.read(decided="wide_impact")) == ()
    surroundings.silences.of["HighErrorRate"] = (SILENCE,)
    found = surroundings.read(decided="wide_impact")
    assert (found.silences, [refusal.guardrail for refusal in refusals(found)]) == ((SILENCE,), ["silenced"])


def test_the_branch_that_decided_counts(surroundings: Surroundings) -> None:
    """Where the branch that decided still fires and is silenced, another branch is no reason to carry out its plan."""
    another = replace(SERVICE_DOWN, branch="high_error_rate", labels=(("alertname", "HighErrorRate"),))
    surroundings.firing.branches = (SERVICE_DOWN, another)
    surroundings.silences.of = {"ServiceDown": (SILENCE,)}
    assert surroundings.read(decided="service_down").silences == (SILENCE,)
    assert surroundings.read(decided="high_error_rate").silences == ()


def test_no_answer_is_none(surroundings: Surroundings) -> None:
    """Without Alertmanager, or without knowing what fires, nobody knows what is silenced."""
    surroundings.silences.unknown = "Alertmanager cannot be asked"
    found = surroundings.read()
    assert (found.silences, found.silences_unknown) == (None, "Alertmanager cannot be asked")
    surroundings.firing.unknown = "Prometheus cannot be asked"
    assert surroundings.read().silences_unknown == "what fires is not known"
