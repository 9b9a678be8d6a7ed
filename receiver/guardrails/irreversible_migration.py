"""Refuses to go back behind a database migration that cannot be undone."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def irreversible_migration(facts: Facts) -> Refusal | None:
    """No release after the target, up to the live one, may have been reported as irreversible."""
    if not facts.irreversible:
        return None
    behind = ", ".join(facts.irreversible)
    reason = f"{facts.plan.target_release} does not know the database that {behind} left: its migration was reported "
    return Refusal("irreversible_migration", f"{reason}as irreversible")
