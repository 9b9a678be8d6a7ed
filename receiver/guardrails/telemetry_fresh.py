"""Refuses when what Prometheus tells of the deployment is not of this moment."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def telemetry_fresh(facts: Facts) -> Refusal | None:
    """A signal must have a value younger than `prometheus.max_age`; a person's own request needs none."""
    if facts.trigger is Trigger.OPERATOR:
        return None
    if facts.signals is None:
        return Refusal("telemetry_fresh", f"the signals cannot be read: {facts.signals_unknown}")
    measured = [signal.at for signal in facts.signals if signal.value is not None]
    if not measured:
        return Refusal("telemetry_fresh", "no signal has a value, so nothing is known about the deployment")
    age = facts.now - max(measured)
    if age > facts.max_age:
        reason = f"the newest value of a signal is {in_words(age)} old, {in_words(facts.max_age)} at most is a fact"
        return Refusal("telemetry_fresh", reason)
    if age < -facts.max_age:
        reason = "the newest value of a signal seems to lie ahead: the agent's clock is not that of Prometheus"
        return Refusal("telemetry_fresh", reason)
    return None
