"""Refuses when the live release has been live for so long that it is hardly the cause."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def suspect_release(facts: Facts) -> Refusal | None:
    """Where `max_age` is set, the live release must have gone live within it; a person's own request need not."""
    max_age = facts.limits.suspect_release.max_age
    if max_age is None or facts.trigger is Trigger.OPERATOR:
        return None
    if facts.live_since is None:
        return Refusal("suspect_release", "it is not known since when the live release is live")
    age = facts.now - facts.live_since
    if abs(age) <= max_age:
        return None
    if age < 0:
        return Refusal("suspect_release", "the live release seems to go live only later: the clock was set back")
    reason = f"{facts.live_release} has been live for {in_words(age)}; after {in_words(max_age)} it is not suspected"
    return Refusal("suspect_release", reason)
