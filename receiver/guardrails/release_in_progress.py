"""Refuses while a pipeline deploys."""

from __future__ import annotations

from receiver.durations import in_words
from receiver.guardrails.facts import Facts
from receiver.journal.releases import LONGEST_DEPLOY
from receiver.model import Refusal


def release_in_progress(facts: Facts) -> Refusal | None:
    """Two must not switch releases at once: a deploy that was reported as begun has to end first."""
    if not facts.deploys:
        return None
    newest = facts.deploys[-1]
    started = newest.started_at or facts.now
    command = f"rollback-agent release finish {facts.plan.deployment} {newest.release}"
    reason = (
        f"the deploy of {newest.release} has been under way for {in_words(facts.now - started)}; `{command}` ends it"
    )
    return Refusal("release_in_progress", reason, retry_at=started + LONGEST_DEPLOY)
