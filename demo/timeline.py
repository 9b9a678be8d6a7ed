"""What happened when in one scenario, and how long the parts took that have a bound."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Moment(StrEnum):
    """What a scenario goes through, in the order in which it is shown."""

    FAULT = "fault begins"
    TOLD = "the agent is told"
    TOLD_MORE = "the agent is told more"
    BACKFILLED = "history backfilled"
    PENDING = "alert pending in Prometheus"
    FIRING = "alert firing in Prometheus"
    NOTIFIED = "notification received"
    DECIDED = "decided"
    GUARDED = "guardrails asked"
    ASKED = "a human is asked"
    APPROVED = "approved"
    CLAIMED = "budget and lock claimed"
    BACKED_UP = "backed up"
    COMMAND = "command started"
    GOOD = "good release live"
    VERIFIED = "verified"
    REPORTED = "reported"


_STEPS = {
    "evaluate": Moment.DECIDED,
    "guard": Moment.GUARDED,
    "approve": Moment.APPROVED,
    "claim": Moment.CLAIMED,
    "back_up": Moment.BACKED_UP,
    "verify": Moment.VERIFIED,
}


_OF_A_ROLLBACK = {
    Moment.GUARDED,
    Moment.APPROVED,
    Moment.CLAIMED,
    Moment.BACKED_UP,
    Moment.COMMAND,
    Moment.GOOD,
    Moment.VERIFIED,
}
# What need not happen, and is no moment of what comes if it does not.
_OPTIONAL = {Moment.TOLD, Moment.TOLD_MORE, Moment.BACKFILLED, Moment.PENDING, Moment.ASKED}


@dataclass(frozen=True, slots=True)
class Bound:
    """A duration in seconds (None: did not happen) and what it may be at most."""

    name: str
    seconds: float | None
    at_most: float

    @property
    def held(self) -> bool:
        """Whether it happened, and in time."""
        return self.seconds is not None and self.seconds <= self.at_most


class Timeline:
    """When each moment came, in Unix seconds, with a word on it; the first word counts."""

    def __init__(self, *, rolls_back: bool = True) -> None:
        self._rolls_back = rolls_back
        self._at: dict[Moment, float] = {}
        self._notes: dict[Moment, str] = {}
        self._backup_took = 0.0
        self._person_took = 0.0

    def mark(self, moment: Moment, at: float | None, note: str = "") -> None:
        """Record that a moment came; nothing is recorded for None, or a second time."""
        if at is not None and moment not in self._at:
            self._at[moment] = at
            self._notes[moment] = note

    def retract(self, moment: Moment) -> None:
        """Take a moment back that led to nothing."""
        self._at.pop(moment, None)
        self._notes.pop(moment, None)

    def at(self, moment: Moment) -> float | None:
        """When the moment came, or None."""
        return self._at.get(moment)

    def expected(self) -> list[Moment]:
        """What has come, and what has to come."""
        left_out = _OPTIONAL if self._rolls_back else _OPTIONAL | _OF_A_ROLLBACK
        return [moment for moment in Moment if moment in self._at or moment not in left_out]

    def note(self, moment: Moment) -> str:
        """The word on it."""
        return self._notes.get(moment, "")

    def since_fault(self, moment: Moment) -> float | None:
        """Seconds from the fault to the moment."""
        return self._between(Moment.FAULT, moment)

    def read(self, run: dict[str, Any]) -> None:
        """Record what the receiver's account of a run holds."""
        self.mark(Moment.NOTIFIED, run["notified_at"])
        self.mark(Moment.COMMAND, run["command_started_at"])
        for step in run["steps"]:
            moment = _STEPS.get(step["name"])
            if moment is None or not _happened(step, run["result"]):
                continue
            self.mark(moment, step["finished_at"], _short(moment, step, run))
            took = step["finished_at"] - step["started_at"]
            if moment is Moment.BACKED_UP:
                self._backup_took = took
            if moment is Moment.APPROVED and run["approval"] and run["approval"]["decided_at"]:
                self._person_took = run["approval"]["decided_at"] - step["started_at"]
        if run["state"] == "finished":
            self.mark(Moment.REPORTED, run["finished_at"], Path(run["report"]).name if run["report"] else "")

    def bounds(self, *, from_fault: bool = True) -> tuple[Bound, ...]:
        """The durations that the project promises, on an idle machine; `from_fault` if its branch sees it at once."""
        command = self._between(Moment.NOTIFIED, Moment.COMMAND)
        own = None if command is None else command - self._backup_took - self._person_took
        left_out = "backup and answer" if self._person_took else "backup"
        reaction = Bound(f"notification to command, less {left_out}", own, 0.5)
        if not from_fault:
            return (reaction,)
        return (
            Bound("fault to good release live", self.since_fault(Moment.GOOD), 60.0),
            Bound("fault to verified", self.since_fault(Moment.VERIFIED), 120.0),
            reaction,
        )

    def _between(self, first: Moment, second: Moment) -> float | None:
        start, end = self._at.get(first), self._at.get(second)
        return None if start is None or end is None else end - start


def _short(moment: Moment, step: dict[str, Any], run: dict[str, Any]) -> str:
    """What the receiver says of a step, as far as it fits beside it; the report has all of it."""
    said = str(step["summary"] or step["outcome"] or "")
    approval = run["approval"]
    if moment is Moment.APPROVED and approval and approval["decided_at"]:
        return f"typed: approve ... --plan {approval['plan_hash'][:8]}"
    if moment is Moment.DECIDED:
        return said.partition(" in Prometheus")[0]
    return said.partition(": /")[0]


def _happened(step: dict[str, Any], result: str | None) -> bool:
    """Whether a step did what its moment says; a run that was stopped in it was not approved, not verified."""
    if step["state"] != "done":
        return False
    match step["name"]:
        case "approve" | "claim" | "back_up":
            return bool(step["outcome"] == "proceed")
        case "verify":
            return result == "restored"
        case _:
            return True
