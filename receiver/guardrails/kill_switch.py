"""Refuses while a person has switched automatic rollbacks off."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def kill_switch(facts: Facts) -> Refusal | None:
    """Nothing is executed while the kill switch is on."""
    if facts.kill_switch:
        return Refusal("kill_switch", "the kill switch is on; `rollback-agent kill-switch off` lifts it")
    return None
