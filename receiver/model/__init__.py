"""The words of the project as types; nothing here reads or writes anything."""

from __future__ import annotations

from receiver.model.attribution import SPEAKS, Attribution, Clue
from receiver.model.diagnosis import CheckedHealth, Diagnosis, ErrorLines, RecentRelease
from receiver.model.findings import Backup, Execution, Findings, Verification
from receiver.model.plan import Decision, Permission, Plan, Refusal, Release
from receiver.model.run import Judged, Outcome, Proceed, Run, Stop, Wait
from receiver.model.telemetry import Branch, Demand, History, RaisedAlert, Signal, Silence, Storm, Telemetry
from receiver.model.words import (
    MOST_DEMANDING_FIRST,
    NO_RELEASE,
    SHORT_HASH,
    Action,
    Autonomy,
    DrillEnding,
    EscalationReason,
    Found,
    Level,
    Result,
    Trigger,
    Verdict,
    Worth,
)

__all__ = [
    "MOST_DEMANDING_FIRST",
    "NO_RELEASE",
    "SHORT_HASH",
    "SPEAKS",
    "Action",
    "Attribution",
    "Autonomy",
    "Backup",
    "Branch",
    "CheckedHealth",
    "Clue",
    "Decision",
    "Demand",
    "Diagnosis",
    "DrillEnding",
    "ErrorLines",
    "EscalationReason",
    "Execution",
    "Findings",
    "Found",
    "History",
    "Judged",
    "Level",
    "Outcome",
    "Permission",
    "Plan",
    "Proceed",
    "RaisedAlert",
    "RecentRelease",
    "Refusal",
    "Release",
    "Result",
    "Run",
    "Signal",
    "Silence",
    "Stop",
    "Storm",
    "Telemetry",
    "Trigger",
    "Verdict",
    "Verification",
    "Wait",
    "Worth",
]
