"""Refuses while a person has switched automatic rollbacks off."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def kill_switch(facts: Facts) -> Refusal | None:
    """Nothing is executed while the kill switch is on, or while that is not known."""
    return switched_off(facts.kill_switch, facts.kill_switch_unknown)


def switched_off(on: bool | None, unknown: str | None) -> Refusal | None:
    """The same of the switch alone: `unknown` says why `on` is None."""
    if on is None:
        return Refusal("kill_switch", f"it is not known whether the kill switch is on: {unknown}")
    return Refusal("kill_switch", "the kill switch is on; `rollback-agent kill-switch off` lifts it") if on else None
