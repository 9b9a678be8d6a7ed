"""Everything that happened in an incident, in one line of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from receiver.web.words import spoken

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment (Unix seconds): who or what, and what of it."""

    at: float
    what: str
    detail: str = ""


def events(incident: View) -> list[Event]:
    """What happened, oldest first."""
    return sorted(_all(incident), key=lambda event: event.at)


def _all(incident: View) -> Iterator[Event]:
    yield Event(incident["opened_at"], "incident opened")
    for run in incident["runs"]:
        yield from _of_run(run)
    for one in incident["escalations"]:
        yield Event(one["opened_at"], f"escalation: {spoken(one['reason'])}", one["summary"])
        if one["answered_at"] is not None:
            detail = _said(one["answered_by"], one["comment"])
            yield Event(one["answered_at"], f"escalation answered: {spoken(one['answer'])}", detail)
    for one in incident["hotfixes"]:
        yield Event(one["started_at"], "hotfix started", _said(one["started_by"], one["comment"]))
        if one["ended_at"] is not None:
            yield Event(one["ended_at"], f"hotfix {spoken(one['state'])}", _said(one["ended_by"], None))
    if incident["closed_at"] is not None:
        yield Event(incident["closed_at"], "incident closed")


def _of_run(run: View) -> Iterator[Event]:
    if run["notified_at"] is not None:
        yield Event(run["notified_at"], "Alertmanager notified")
    for step in run["steps"]:
        yield Event(step["finished_at"] or step["started_at"], spoken(step["name"]), step["summary"] or step["state"])
    approval = run["approval"]
    if approval is not None and approval["need"] > 1:
        for number, vote in enumerate(approval["votes"], start=1):
            yield Event(
                vote["voted_at"], f"approval {number} of {approval['need']}", _said(vote["person"], vote["comment"])
            )
    if approval is not None and approval["decided_at"] is not None:
        detail = _said(approval["decided_by"], approval["comment"])
        yield Event(approval["decided_at"], f"plan {spoken(approval['state'])}", detail)
    if run["finished_at"] is not None:
        yield Event(run["finished_at"], f"run ended: {spoken(run['result'])}", run["reason"] or "")


def _said(person: str | None, comment: str | None) -> str:
    return ": ".join(filter(None, (f"by {person}" if person else None, comment)))
