"""Refuses when the rollback's programs are not there."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def rollback_command_present(facts: Facts) -> Refusal | None:
    """The plan's program, and what it starts in turn, must be files that can be executed."""
    if not facts.unusable_programs:
        return None
    return Refusal("rollback_command_present", "; ".join(facts.unusable_programs))
