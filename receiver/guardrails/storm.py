"""Refuses when so much fails at once that no release of one deployment is the cause."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def storm(facts: Facts) -> Refusal | None:
    """Neither more than 3 deployments (configurable) may ask for a rollback, nor a shared dependency's alert fire.

    A person's own request is not refused.
    """
    if facts.trigger is Trigger.OPERATOR:
        return None
    if facts.storm is None:
        return Refusal("storm", f"it is not known what else fires: {facts.storm_unknown}")
    if facts.storm.dependencies:
        names = ", ".join(sorted(facts.storm.dependencies))
        return Refusal("storm", f"{names} fires, which is about what several deployments share")
    failing, allowed = sorted(facts.storm.deployments), facts.limits.storm.deployments
    if len(failing) <= allowed:
        return None
    named = ", ".join(failing[:5]) + (", ..." if len(failing) > 5 else "")
    return Refusal("storm", f"{len(failing)} deployments ask for a rollback at once ({named}), {allowed} may")
