"""Refuses when a deployment was rolled back too often."""

from __future__ import annotations

from receiver.guardrails.facts import Claims
from receiver.model import Refusal


def daily_limit(facts: Claims) -> Refusal | None:
    """At most 3 rollbacks in 24 h (the operations guide; both configurable), counted by claims."""
    limit = facts.limits.daily_limit
    recent = [at for at in facts.earlier_claims if facts.now - at < limit.period]
    if len(recent) < limit.limit:
        return None
    hours = limit.period / 3600
    return Refusal(
        "daily_limit",
        f"{len(recent)} rollbacks in the last {hours:g} h, {limit.limit} are allowed",
        retry_at=recent[-limit.limit] + limit.period,
    )
