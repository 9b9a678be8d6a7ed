"""Which reviewed incidents look like another one: by what fired, where, and which values were beyond their limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from receiver.journal.judgements import Kept
from receiver.journal.reviews import Review
from receiver.judgements import EVALUATED
from receiver.tree.branches import State

ALIKE = 0.5
"""From as much in common on (ours): half of all that either of them shows."""
MOST = 3


@dataclass(frozen=True, slots=True)
class Alike:
    """A reviewed incident, and how much it has in common with the one that was asked about, 0 to 1."""

    review: Review
    likeness: float


def features(run: Mapping[str, Any], kept: Mapping[str, Kept]) -> frozenset[str]:
    """What a run's decision shows of the fault, as words that can be compared; empty where nothing was decided."""
    decision = run.get("decision")
    if not decision:
        return frozenset()
    found = {f"branch {name}" for name in (decision["branch"], *decision["also_firing"])}
    judged = kept.get("evaluate")
    if judged is not None and judged.judged.kind == EVALUATED.name:
        evaluated = EVALUATED.read(judged.judged.facts)
        firing = evaluated.facts.telemetry.firing if evaluated.facts.telemetry else ()
        found |= {f"service {one.service}" for one in firing if one.service}
        if evaluated.tree:
            active = [one for one in evaluated.tree.state.branches if one.state in (State.PENDING, State.FIRING)]
            found |= {
                f"beyond {one.deciding.condition.left.name}"
                for one in active
                if one.deciding and one.deciding.holds and one.deciding.condition.right.literal is not None
            }
    diagnosis = run.get("diagnosis") or {}
    found |= {f"check {one['check']} of {one['service']}" for one in diagnosis.get("checks", ()) if not one["success"]}
    return frozenset(found)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index: what both show, as a share of all that either shows; 0 where neither shows anything."""
    either = one | other
    return len(one & other) / len(either) if either else 0.0


def alike(shown: frozenset[str], reviews: Iterable[Review], but: str = "") -> tuple[Alike, ...]:
    """The reviewed incidents that look most like it, the likest and of those the newest first; `but` is itself."""
    found = [Alike(one, likeness(shown, one.features)) for one in reviews if one.incident != but]
    near = [one for one in found if one.likeness >= ALIKE]
    return tuple(sorted(near, key=lambda one: (-one.likeness, -one.review.reviewed_at))[:MOST])
