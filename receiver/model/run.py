"""A run, and how a phase can end."""

from __future__ import annotations

from dataclasses import dataclass, field

from receiver.model.findings import Findings
from receiver.model.words import EscalationReason, Level, Result, Trigger


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of the workflow for an incident; `token` is the fencing token of this life."""

    id: str
    incident: str
    deployment: str
    trigger: Trigger
    wanted_level: Level | None
    requested_by: str | None
    created_at: float
    notified_at: float | None
    token: int
    lives: int
    """How often it was taken up since it last waited or began; high only where it ends its process."""
    wakes: int
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a phase was asked about and what it answered, as JSON: with the same facts it gives the same answer."""

    kind: str
    facts: str
    answer: str


@dataclass(frozen=True, slots=True)
class Proceed:
    """The phase is done; the run goes on with these findings."""

    findings: Findings
    summary: str
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The phase cannot end yet; it is called again at `until`, or earlier when something happens."""

    until: float
    summary: str
    findings: Findings | None = None
    """What the phase has established so far, where it has; it meets it again when it is called again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ends here and is reported; `escalation` says whether and why a human is needed."""

    result: Result
    reason: str
    findings: Findings
    escalation: EscalationReason | None = None
    latch: bool = False
    judged: Judged | None = None


Outcome = Proceed | Wait | Stop
