"""Refuses when the live release is hardly the cause: live for too long, or something speaks against it."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def suspect_release(facts: Facts) -> Refusal | None:
    """Where `max_age` is set, the live release must have gone live within it, and nothing known speak against it.

    What is not known does not. A person's own request need not suspect the release.
    """
    max_age = facts.limits.suspect_release.max_age
    if max_age is None or facts.trigger is Trigger.OPERATOR:
        return None
    if facts.live_since is None:
        return Refusal("suspect_release", "it is not known since when the live release is live")
    age = facts.now - facts.live_since
    if abs(age) <= max_age:
        against = facts.attribution.against if facts.attribution else ()
        said = "; ".join(clue.sentence for clue in against)
        return Refusal("suspect_release", f"{facts.live_release} hardly explains the fault: {said}") if said else None
    if age < 0:
        return Refusal("suspect_release", "the live release seems to go live only later: the clock was set back")
    reason = f"{facts.live_release} has been live for {in_words(age)}; after {in_words(max_age)} it is not suspected"
    return Refusal("suspect_release", reason)
