"""Refuses while Alertmanager does not reach the agent."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger

WHAT_TO_DO = "is its rule loaded in Prometheus, and does Alertmanager's route for it reach the webhook?"


def watchdog(facts: Facts) -> Refusal | None:
    """A Watchdog must have come within 5 min (configurable); a person's own request needs none."""
    if facts.trigger is Trigger.OPERATOR:
        return None
    if missing_for(facts.now, facts.watchdog_seen, facts.serving_since, facts.limits.watchdog.max_age) is None:
        return None
    if facts.watchdog_seen is None:
        served = in_words(facts.now - facts.serving_since)
        return Refusal("watchdog", f"no Watchdog has ever come, and the agent has served for {served}; {WHAT_TO_DO}")
    if facts.watchdog_seen > facts.now:
        return Refusal("watchdog", "the last Watchdog seems to lie ahead: the clock was set back")
    elapsed = in_words(facts.now - facts.watchdog_seen)
    return Refusal("watchdog", f"the last Watchdog came {elapsed} ago; {WHAT_TO_DO}")


def missing_for(now: float, seen: float | None, serving_since: float, max_age: float) -> float | None:
    """Seconds for which no Watchdog has come, or None where that is short of `max_age`.

    Who has just begun to serve has not been missing any for longer. A time that lies ahead proves nothing.
    """
    elapsed = now - max(seen or 0.0, serving_since)
    return None if abs(elapsed) < max_age else max(elapsed, 0.0)
