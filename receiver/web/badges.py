"""How an incident, a run or a deployment stands, in a word with a shape and a colour that all say the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from receiver.model import Result
from receiver.web.words import spoken

View = dict[str, Any]


class Tone(StrEnum):
    """What a state means to who looks: the page's colour, and with it the shape."""

    NEEDED = "needed"
    WORKING = "working"
    BAD = "bad"
    GOOD = "good"
    CALM = "calm"


SHAPES = {Tone.NEEDED: "▲", Tone.WORKING: "◆", Tone.BAD: "■", Tone.GOOD: "✓", Tone.CALM: "○"}
_TROUBLE = {Result.NO_EFFECT, Result.WORSE, Result.INCONCLUSIVE, Result.FAILED, Result.UNKNOWN, Result.MISSING_DATA}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state for people: `text` alone says it, `tone` gives it shape and colour."""

    tone: Tone
    text: str

    @property
    def shape(self) -> str:
        """The sign beside the text, so that colour is never alone."""
        return SHAPES[self.tone]


def of_incident(incident: View, now: float) -> Badge:
    """What is most urgent of an incident: a person, the work under way, or how it ended."""
    run = incident["runs"][-1] if incident["runs"] else None
    if run is not None and awaits_approval(run, now):
        return Badge(Tone.NEEDED, "waits for approval")
    if run is not None and run["state"] != "finished":
        return Badge(Tone.WORKING, f"under way: {spoken(run['phase'])}")
    if any(one["state"] == "open" for one in incident["escalations"]):
        return Badge(Tone.NEEDED, "needs a person")
    if run is not None and run["result"]:
        ended = of_run(run, now)
        return ended if incident["state"] == "closed" else Badge(ended.tone, f"{ended.text}, still open")
    return Badge(Tone.CALM if incident["state"] == "closed" else Tone.WORKING, incident["state"])


def of_run(run: View, now: float) -> Badge:
    """How a run stands or ended."""
    if awaits_approval(run, now):
        return Badge(Tone.NEEDED, "waits for approval")
    if not run["result"]:
        return Badge(Tone.WORKING, f"under way: {spoken(run['phase'])}")
    result = Result(run["result"])
    tone = Tone.GOOD if result is Result.RESTORED else Tone.BAD if result in _TROUBLE else Tone.CALM
    return Badge(tone, spoken(result))


def of_deployment(deployment: View) -> Badge:
    """Whether a deployment can be rolled back now, and if not, why not: the first that holds."""
    stands = (
        (deployment["live_unknown"], Badge(Tone.BAD, "release cannot be read")),
        (deployment["latched"], Badge(Tone.NEEDED, "latched")),
        (deployment["under_way"] == "approve", Badge(Tone.NEEDED, "asks a person")),
        (deployment["under_way"], Badge(Tone.WORKING, f"under way: {spoken(deployment['under_way'] or '')}")),
        (deployment["migration_failed"], Badge(Tone.BAD, "migration failed")),
        (deployment["deploys"], Badge(Tone.WORKING, "deploy under way")),
        (not deployment["budget"], Badge(Tone.BAD, "budget spent")),
        (deployment["cooldown_left"], Badge(Tone.CALM, "cooling down")),
    )
    return next((badge for holds, badge in stands if holds), Badge(Tone.GOOD, "may roll back"))


def awaits_approval(run: View, now: float) -> bool:
    """Whether a person can still answer the run's plan."""
    approval = run["approval"]
    return bool(approval and approval["state"] == "pending" and approval["expires_at"] > now and not run["result"])
