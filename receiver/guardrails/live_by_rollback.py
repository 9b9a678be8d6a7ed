"""Refuses to roll a release back that is itself live by a rollback."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def live_by_rollback(facts: Facts) -> Refusal | None:
    """No rollback of a rollback: what is still wrong then is hardly the release; a person may ask for it by hand."""
    if facts.trigger is Trigger.OPERATOR:
        return None
    if facts.live_release is None:
        reason = f"it is not known whether a rollback made the live release live: {facts.live_release_unknown}"
        return Refusal("live_by_rollback", reason)
    if facts.live_by_run is None:
        return None
    reason = (
        f"{facts.live_release} is live by the rollback of run {facts.live_by_run}, and is not rolled back by itself"
    )
    return Refusal("live_by_rollback", reason)
