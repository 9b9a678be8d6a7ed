"""What a run establishes, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from receiver.model.diagnosis import Diagnosis
from receiver.model.plan import Decision, Permission, Plan, Refusal
from receiver.model.telemetry import Signal
from receiver.model.words import Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup, read back and matching its manifest."""

    directory: str
    files: int
    bytes: int
    replica: str = ""
    """On which replica it lies."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of the command; `exit_code` is None where nobody can know it."""

    started_at: float
    finished_at: float
    exit_code: int | None
    output: str
    """Path of the file that holds what the command printed; empty where a person did it by hand."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict, with the signals after the rollback."""

    verdict: Verdict
    reason: str
    at: float
    signals: tuple[Signal, ...]
    worst: tuple[Signal, ...] = ()
    """Each signal at its worst between the command's start and the verdict."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run has established so far; each phase adds its own part."""

    decision: Decision | None = None
    plan: Plan | None = None
    refusals: tuple[Refusal, ...] = ()
    permission: Permission | None = None
    claimed_at: float | None = None
    backup: Backup | None = None
    execution: Execution | None = None
    verification: Verification | None = None
    diagnosis: Diagnosis | None = None

    def require_decision(self) -> Decision:
        """The decision; raises ValueError in a phase that comes before it."""
        return _required(self.decision, "decision")

    def require_plan(self) -> Plan:
        """The plan; raises ValueError in a phase that comes before it."""
        return _required(self.plan, "plan")

    def require_execution(self) -> Execution:
        """The execution; raises ValueError in a phase that comes before it."""
        return _required(self.execution, "execution")


def _required(finding: T | None, name: str) -> T:
    if finding is None:
        raise ValueError(f"the run has no {name} yet")
    return finding
