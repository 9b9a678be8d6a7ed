"""Refuses during a maintenance window: while a silence of Alertmanager covers what fires."""

from __future__ import annotations

from receiver.durations import clock_time
from receiver.guardrails.facts import Facts
from receiver.model import Refusal, Trigger


def silenced(facts: Facts) -> Refusal | None:
    """What asks for the rollback must not be silenced; a person's own request is not asked."""
    if facts.trigger is Trigger.OPERATOR:
        return None
    if facts.silences is None:
        return Refusal("silenced", f"it is not known whether what fires is silenced: {facts.silences_unknown}")
    if not facts.silences:
        return None
    last = max(facts.silences, key=lambda silence: silence.ends_at)
    reason = (
        f"{last.created_by} has silenced {facts.decided_branch} until {clock_time(last.ends_at)} "
        f"({last.comment[:200]}; silence {last.id})"
    )
    return Refusal("silenced", reason, retry_at=last.ends_at)
