"""How far a run is at this moment: its phase, for how long, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from receiver.command_output import last_output
from receiver.journal.views import View


@dataclass(frozen=True, slots=True)
class Progress:
    """A run under way; times are in seconds."""

    run: str
    phase: str
    elapsed: float
    """Since the run began."""
    in_phase: float
    says: str
    """What it waits for, or the last line of the command while that runs; empty where there is nothing to say."""


def progress(run: View, logs: Path, now: float) -> Progress | None:
    """How far a run is, as the page and the command line show it; None where it has ended. `logs` has the output."""
    if run["result"] is not None or run["state"] == "finished":
        return None
    step = next((one for one in run["steps"] if one["name"] == run["phase"]), None)
    began = step["started_at"] if step else run["created_at"]
    says = step["summary"] if step and step["summary"] else ""
    if run["phase"] == "execute":
        says = _last_line(logs / f"rollback-{run['id']}.log")
    return Progress(run["id"], run["phase"], max(now - run["created_at"], 0.0), max(now - began, 0.0), says)


def _last_line(output: Path) -> str:
    if not output.is_file():
        return ""  # the guardrails are asked once more before it begins
    return next(reversed(last_output(output).splitlines()), "")
