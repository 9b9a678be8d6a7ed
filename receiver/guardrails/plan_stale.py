"""Refuses a plan that was made for another live release."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def plan_stale(facts: Facts) -> Refusal | None:
    """The release that is live must still be the one that the plan leaves."""
    if facts.live_release is None:
        return Refusal("plan_stale", f"the live release cannot be read: {facts.live_release_unknown}")
    if facts.live_release != facts.plan.live_release:
        return Refusal("plan_stale", f"{facts.live_release} is live now, not {facts.plan.live_release} as planned")
    return None
