"""Refuses to go back behind a database migration that cannot be undone."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def irreversible_migration(facts: Facts) -> Refusal | None:
    """No release after the target, up to the live one, may have been reported as irreversible."""
    if not facts.irreversible:
        return None
    behind = ", ".join(facts.irreversible)
    target, deployment = facts.plan.target_release, facts.plan.deployment
    each = "RELEASE" if len(facts.irreversible) > 1 else behind
    of_each = ", of each" if len(facts.irreversible) > 1 else ""
    reason = (
        f"{target} does not know the database that {behind} left: its migration was reported as irreversible; mend "
        f"{deployment} forward, or say that {target} can work with that database after all{of_each}: "
        f"`rollback-agent release finish {deployment} {each} --reversible`"
    )
    return Refusal("irreversible_migration", reason)
