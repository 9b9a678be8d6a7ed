"""What is decided, what exactly would be done, and who or what lets it pass."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from receiver.model.attribution import Attribution
from receiver.model.telemetry import Signal
from receiver.model.words import Action, Level


@dataclass(frozen=True, slots=True)
class Decision:
    """Which branch decided, what for, and why; `signals` are the facts that were read."""

    branch: str
    alert: str
    action: Action
    level: Level | None
    confidence: float | None
    reason: str
    also_firing: tuple[str, ...]
    signals: tuple[Signal, ...]
    rank: int | None = None
    """The branch's place in the tree, the least first; None where a person asked."""
    attribution: Attribution | None = None
    """How well the live release explains the fault; None where no rollback was planned."""

    def outranks(self, other: Decision) -> bool:
        """Whether this branch stands before the other one in the tree."""
        return self.rank is not None and other.rank is not None and self.rank < other.rank


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a deployment, with what the journal knows of it (Unix seconds, or None)."""

    id: str
    commit: str | None
    live_since: float | None = None
    good_at: float | None = None
    held_at: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What exactly would be done; `hash` is what a person approves."""

    deployment: str
    level: Level
    live_release: str
    live_commit: str | None
    target_release: str | None
    target_commit: str | None
    command: tuple[str, ...]
    timeout: float

    @property
    def hash(self) -> str:
        """SHA-256 over the plan's canonical JSON, in hexadecimal."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """The plan with its hash, as it is shown and kept."""
        return {**asdict(self), "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guardrail's "no": who, why, and when it is worth asking again (Unix seconds; None: a person must act)."""

    guardrail: str
    reason: str
    retry_at: float | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Who let the plan pass: a person, or the autonomy level."""

    by: str
    reason: str
    at: float
