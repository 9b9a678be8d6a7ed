"""Refuses when nothing asks for the rollback any more."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def alert_still_firing(facts: Facts) -> Refusal | None:
    """A rollback branch must still fire in Prometheus; a person's own request needs none."""
    if facts.trigger is Trigger.OPERATOR:
        return None
    if facts.firing is None:
        return Refusal("alert_still_firing", f"it is not known what fires: {facts.firing_unknown}")
    if not facts.firing:
        return Refusal(
            "alert_still_firing",
            f"{facts.decided_branch} no longer fires, nor does any other rollback branch",
        )
    return None
