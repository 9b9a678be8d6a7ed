"""Refuses after a rollback that failed or whose result is unknown."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def latched(facts: Facts) -> Refusal | None:
    """One attempt: after a failed or unknown result a person must clear the deployment first."""
    if facts.latch is None:
        return None
    return Refusal("latched", f"{facts.latch}; `rollback-agent clear {facts.plan.deployment}` lifts the latch")
