"""Asks all guardrails; one that raises refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from receiver.guardrails.alert_still_firing import alert_still_firing
from receiver.guardrails.backup_created import backup_created
from receiver.guardrails.cooldown import cooldown
from receiver.guardrails.daily_limit import daily_limit
from receiver.guardrails.disk_space import disk_space
from receiver.guardrails.facts import Facts
from receiver.guardrails.irreversible_migration import irreversible_migration
from receiver.guardrails.kill_switch import kill_switch
from receiver.guardrails.latched import latched
from receiver.guardrails.live_by_rollback import live_by_rollback
from receiver.guardrails.pending_transactions import pending_transactions
from receiver.guardrails.plan_stale import plan_stale
from receiver.guardrails.release_in_progress import release_in_progress
from receiver.guardrails.rollback_command_present import rollback_command_present
from receiver.guardrails.silenced import silenced
from receiver.guardrails.storm import storm
from receiver.guardrails.suspect_release import suspect_release
from receiver.guardrails.target_release_valid import target_release_valid
from receiver.guardrails.telemetry_fresh import telemetry_fresh
from receiver.guardrails.watchdog import watchdog
from receiver.model import Refusal

Guardrail = Callable[[Facts], Refusal | None]

GUARDRAILS: tuple[Guardrail, ...] = (
    kill_switch,
    latched,
    silenced,
    storm,
    watchdog,
    telemetry_fresh,
    alert_still_firing,
    suspect_release,
    live_by_rollback,
    plan_stale,
    release_in_progress,
    target_release_valid,
    irreversible_migration,
    pending_transactions,
    rollback_command_present,
    daily_limit,
    cooldown,
    disk_space,
    backup_created,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one guardrail said; it lets the plan pass where `refusal` is None."""

    guardrail: str
    refusal: Refusal | None


def answers(facts: Facts, guardrails: Iterable[Guardrail] = GUARDRAILS) -> tuple[Answer, ...]:
    """What each guardrail says, in their order; the same facts give the same answers."""
    return tuple(Answer(guardrail.__name__, _ask(guardrail, facts)) for guardrail in guardrails)


def refused(found: Iterable[Answer]) -> tuple[Refusal, ...]:
    """The refusals among these answers; empty means that we may."""
    return tuple(answer.refusal for answer in found if answer.refusal is not None)


def refusals(facts: Facts, guardrails: Iterable[Guardrail] = GUARDRAILS) -> tuple[Refusal, ...]:
    """Every guardrail's refusal, in their order."""
    return refused(answers(facts, guardrails))


def _ask(guardrail: Guardrail, facts: Facts) -> Refusal | None:
    try:
        return guardrail(facts)
    except Exception as error:  # a guardrail that cannot say yes says no
        return Refusal(guardrail.__name__, f"the check itself failed: {type(error).__name__}: {error}")
