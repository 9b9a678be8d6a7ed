"""What follows from what was read of Prometheus and the target, before any guardrail is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from receiver.attribution import Around, attribute
from receiver.config import DecisionBounds
from receiver.decision import choose_target, decide, is_recorded_only
from receiver.model import Action, Decision, EscalationReason, Level, Release, Result, Telemetry, Trigger


@dataclass(frozen=True, slots=True)
class Releases:
    """What the target says is live and could be live, and what the journal knows of releases, by their ids."""

    live: Release
    known: tuple[Release, ...]
    remembered: dict[str, Release]


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """What is decided on: read once, then only looked at; where one could not be read, its `..._unknown` says why.

    Neither `releases` nor why they are unknown: they have not been asked for.
    """

    trigger: Trigger
    wanted_level: Level | None
    requested_by: str | None
    bounds: DecisionBounds
    telemetry: Telemetry | None
    telemetry_unknown: str | None = None
    releases: Releases | None = None
    releases_unknown: str | None = None
    around: Around | None = None
    """What says whether the live release is the cause; None where no rollback was planned."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows: the decision with the release to go back to, or with a `result` the end of the run."""

    decision: Decision | None
    reason: str
    target: Release | None = None
    result: Result | None = None
    escalation: EscalationReason | None = None


def conclude(facts: DecisionFacts) -> Conclusion:
    """The same facts give the same conclusion."""
    decision = _decision(facts)
    if decision is None:
        return _undecided(facts)
    if decision.level is None:
        return _without_rollback(decision)
    if is_recorded_only(decision, facts.bounds):
        reason = f"{decision.reason}, but {decision.confidence} is below {facts.bounds.ask_from}"
        return Conclusion(decision, reason, result=Result.RECORDED)
    if facts.releases_unknown is not None:
        is_full = decision.level is Level.FULL
        why = EscalationReason.DATABASE_OR_FULL if is_full else EscalationReason.SAFETY_CHECK_FAILED
        reason = f"{decision.reason}, but no plan can be made: {facts.releases_unknown}"
        return Conclusion(decision, reason, result=Result.ASKED, escalation=why)
    if facts.releases is None:
        return Conclusion(decision, decision.reason)
    found = facts.releases
    target = choose_target(found.live, found.known, found.remembered)
    way = f"roll back {found.live.id} to {target.id if target else 'nothing known good'}"
    attribution = attribute(facts.around) if facts.around else None
    return Conclusion(replace(decision, attribution=attribution), f"{decision.reason}: {way}", target)


def _decision(facts: DecisionFacts) -> Decision | None:
    telemetry = facts.telemetry
    if facts.trigger is not Trigger.OPERATOR:
        return decide(telemetry) if telemetry else None
    return Decision(
        branch="operator",
        alert="",
        action=Action.ROLLBACK,
        level=facts.wanted_level,
        confidence=1.0,
        reason=f"requested by {facts.requested_by}",
        also_firing=(),
        # A person may roll back while Prometheus is down; only the verdict will lack its facts.
        signals=telemetry.signals if telemetry else (),
    )


def _undecided(facts: DecisionFacts) -> Conclusion:
    if facts.telemetry is None:
        reason = facts.telemetry_unknown or "nothing is known of it"
        return Conclusion(None, reason, result=Result.MISSING_DATA, escalation=EscalationReason.MISSING_DATA)
    if facts.telemetry.unreadable:
        names = ", ".join(facts.telemetry.unreadable)
        reason = f"{names} fires as a branch without a branch's labels, so nothing can be decided"
        return Conclusion(None, reason, result=Result.ASKED, escalation=EscalationReason.UNKNOWN_PATTERN)
    return Conclusion(None, "no branch fires in Prometheus", result=Result.NOT_NEEDED)


def _without_rollback(decision: Decision) -> Conclusion:
    if decision.action is Action.WATCH:
        return Conclusion(decision, f"{decision.reason}: it is watched, not rolled back", result=Result.RECORDED)
    reason = f"{decision.reason}: a person must look"
    return Conclusion(decision, reason, result=Result.ASKED, escalation=EscalationReason.BRANCH_ASKS)
