"""Refuses a rollback too soon after the last one."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Claims
from receiver.model import Refusal


def cooldown(facts: Claims) -> Refusal | None:
    """At least 300 s between two rollbacks (the operations guide; configurable), counted from claim to claim."""
    if not facts.earlier_claims:
        return None
    period = facts.limits.cooldown.period
    last = facts.earlier_claims[-1]
    elapsed = facts.now - last
    if elapsed >= period:
        return None
    reason = f"rolled back {in_words(elapsed)} ago, {in_words(period)} must pass between two rollbacks"
    return Refusal("cooldown", reason, retry_at=last + period)
