"""Decides from what fires: which branch, what it asks for, and whether that is acted on."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.config import DecisionBounds
from receiver.model import Autonomy, Decision, EscalationReason, Level, Release, Telemetry, Trigger


def decide(telemetry: Telemetry) -> Decision | None:
    """The branch that takes precedence decides; None where no branch fires."""
    if not telemetry.firing:
        return None
    first, *others = sorted(telemetry.firing, key=lambda branch: branch.precedence)
    where = f" on {first.service}" if first.service else ""
    also = tuple(dict.fromkeys(branch.branch for branch in others if branch.branch != first.branch))
    return Decision(
        branch=first.branch,
        alert=first.alert,
        action=first.action,
        level=first.level,
        confidence=first.confidence,
        reason=f"{first.alert} fires{where} in Prometheus (rank {first.rank})",
        also_firing=also,
        signals=telemetry.signals,
        rank=first.rank,
    )


def is_recorded_only(decision: Decision, bounds: DecisionBounds) -> bool:
    """Below the lower bound a rollback is only recorded (the guide's 0.70, inclusive)."""
    return decision.confidence is not None and decision.confidence < bounds.ask_from


@dataclass(frozen=True, slots=True)
class Question:
    """Why a person must confirm a rollback; some reasons are escalations by themselves (the guide's triggers)."""

    reason: str
    escalation: EscalationReason | None = None


def why_ask(decision: Decision, trigger: Trigger, autonomy: Autonomy, bounds: DecisionBounds) -> Question | None:
    """What to ask a person, or None where the agent may go ahead (the guide: above 0.90)."""
    if decision.level is Level.MANUAL:
        return None  # whoever carries it out confirms it by that
    if trigger is Trigger.OPERATOR:
        return Question("a rollback by hand is confirmed with its plan")
    if decision.level is Level.FULL:
        return Question("a full rollback is always put to a person", EscalationReason.DATABASE_OR_FULL)
    if decision.confidence is None or decision.confidence <= bounds.execute_above:
        reason = f"its confidence is {decision.confidence}, not above {bounds.execute_above}"
        return Question(reason, EscalationReason.LOW_CONFIDENCE)
    if autonomy is not Autonomy.L4:
        return Question(f"autonomy level {autonomy} asks before it rolls back")
    return None


def choose_target(live: Release, known: tuple[Release, ...], remembered: dict[str, Release]) -> Release | None:
    """The good release that was live last and is not held, other than the live one; None where there is none."""
    candidates = [
        remembered[release.id]
        for release in known
        if release.id in remembered and release.id != live.id
        if remembered[release.id].commit == release.commit  # else it was built anew since it proved good
        if remembered[release.id].good_at is not None and remembered[release.id].held_at is None
    ]
    return max(candidates, key=lambda release: (release.live_since or 0.0, release.id), default=None)
