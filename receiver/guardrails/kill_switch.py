"""Refuses while a person has switched automatic rollbacks off."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal

SWITCHED_OFF = Refusal("kill_switch", "the kill switch is on; `rollback-agent kill-switch off` lifts it")


def kill_switch(facts: Facts) -> Refusal | None:
    """Nothing is executed while the kill switch is on."""
    return SWITCHED_OFF if facts.kill_switch else None
