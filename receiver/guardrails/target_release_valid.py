"""Refuses a target that is not there, is held, or was never known to be good."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def target_release_valid(facts: Facts) -> Refusal | None:
    """The plan's target must exist, must not be held, and must be known good."""
    if facts.plan.target_release is None:
        return Refusal("target_release_valid", "there is no other release that is known good and not held")
    name = facts.plan.target_release
    if facts.target is None:
        return Refusal("target_release_valid", f"release {name} is not there any more")
    if facts.target.held_at is not None:
        return Refusal("target_release_valid", f"release {name} is held: it was itself rolled back")
    if facts.target.good_at is None:
        return Refusal("target_release_valid", f"release {name} is not known to be good")
    return None
