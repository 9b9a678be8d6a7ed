"""What is not of this moment is no reason to roll back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.guardrails.checklist import refusals
from receiver.guardrails.telemetry_fresh import telemetry_fresh
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import AVAILABILITY, NOW, Surroundings, facts


def test_refuses_when_the_newest_value_is_old() -> None:
    """A signal whose newest value is 90 seconds old refuses, it alone, and it says how old a fact may be."""
    said_no = refusals(facts(signals=(replace(AVAILABILITY, at=NOW - 90),)))
    reason = "the newest value of a signal is 0:01:30 old, 0:01:00 at most is a fact"
    assert said_no == (Refusal("telemetry_fresh", reason),)


@pytest.mark.parametrize(("age", "refused"), [(0, False), (60, False), (60.1, True), (-60, False), (-60.1, True)])
def test_allows_up_to_the_configured_age(age: float, refused: bool) -> None:
    """Up to `prometheus.max_age` it allows; further ahead than that the two clocks differ, and no age is known."""
    found = telemetry_fresh(facts(signals=(replace(AVAILABILITY, at=NOW - age),)))
    assert (found is not None) is refused


def test_clock_that_is_not_that_of_prometheus_refuses() -> None:
    """A signal that seems to be measured only in 90 seconds refuses, it alone, and it says whose fault that is."""
    said_no = refusals(facts(signals=(replace(AVAILABILITY, at=NOW + 90),)))
    reason = "the newest value of a signal seems to lie ahead: the agent's clock is not that of Prometheus"
    assert said_no == (Refusal("telemetry_fresh", reason),)


def test_the_newest_value_counts() -> None:
    """One fresh signal among old ones is enough: a service that is down may expose nothing any more."""
    old = replace(AVAILABILITY, name="service:availability:ratio", at=NOW - 900)
    assert telemetry_fresh(facts(signals=(old, AVAILABILITY))) is None


@pytest.mark.parametrize("signals", [(), (replace(AVAILABILITY, value=None),)])
def test_signals_without_a_value_refuse(signals: tuple[object, ...]) -> None:
    """A signal that is there and measures nothing is as good as none."""
    reason = "no signal has a value, so nothing is known about the deployment"
    assert refusals(facts(signals=signals)) == (Refusal("telemetry_fresh", reason),)


def test_unknown_refuses() -> None:
    """Signals that cannot be read refuse, it alone, with the reason."""
    said_no = refusals(facts(signals=None, signals_unknown="Prometheus cannot be asked"))
    assert said_no == (Refusal("telemetry_fresh", "the signals cannot be read: Prometheus cannot be asked"),)


def test_a_person_needs_none() -> None:
    """A rollback by hand goes on while Prometheus is down."""
    assert telemetry_fresh(facts(trigger=Trigger.OPERATOR, signals=None)) is None
    assert telemetry_fresh(facts(trigger=Trigger.OPERATOR, signals=())) is None


def test_the_signals_are_read_anew(surroundings: Surroundings) -> None:
    """Each look reads the signals from Prometheus again, and compares their time with the agent's clock."""
    assert refusals(surroundings.read()) == ()
    surroundings.firing.age = 90.0
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["telemetry_fresh"]
    surroundings.firing.unknown = "connection refused"
    assert surroundings.read().signals_unknown == "connection refused"
