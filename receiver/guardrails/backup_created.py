"""Refuses to touch anything without a complete backup."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def backup_created(facts: Facts) -> Refusal | None:
    """Before the backup is due its sources must be readable; afterwards it must be there and match its manifest."""
    if facts.backup_unknown is not None:
        return Refusal("backup_created", facts.backup_unknown)
    if facts.backup_due and facts.backup is None:
        return Refusal("backup_created", "there is no backup")
    return None
