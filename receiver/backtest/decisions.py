"""What the agent would have decided on what fired: the spans of one decision, and how it would have gone on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from receiver.backtest.replay import Fired
from receiver.branch_labels import read_branches
from receiver.config import DecisionBounds
from receiver.decision import decide, is_recorded_only, why_ask
from receiver.model import Action, Autonomy, Decision, Telemetry, Trigger


class Course(StrEnum):
    """What becomes of a decision at the highest level of autonomy, before the guardrails are asked."""

    ROLLED_BACK = "rolled_back"
    PROPOSED = "proposed"
    RECORDED = "recorded"
    ASKED = "asked"
    WATCHED = "watched"


ROLLS_BACK = (Course.ROLLED_BACK, Course.PROPOSED)


@dataclass(frozen=True, slots=True)
class DecisionSpan:
    """The same decision from its first to its last step (Unix seconds)."""

    deployment: str
    decision: Decision
    course: Course
    since: float
    until: float


def spans(deployment: str, fired: Iterable[Fired], step: int, bounds: DecisionBounds) -> Iterator[DecisionSpan]:
    """The decisions on what fired, oldest first, each as long as its branch decides with its action."""
    current: DecisionSpan | None = None
    for one in sorted(fired, key=lambda one: one.at):
        branches, unreadable = read_branches(one.alerts)
        decision = decide(Telemetry(one.at, branches, unreadable, ()))
        if decision is None:
            continue
        if current and one.at - current.until <= step and _same(current.decision, decision):
            current = DecisionSpan(deployment, current.decision, current.course, current.since, one.at)
            continue
        if current:
            yield current
        current = DecisionSpan(deployment, decision, course(decision, bounds), one.at, one.at)
    if current:
        yield current


def course(decision: Decision, bounds: DecisionBounds) -> Course:
    """How it goes on where autonomy is L4; below that a person confirms each rollback."""
    match decision.action:
        case Action.WATCH:
            return Course.WATCHED
        case Action.ASK:
            return Course.ASKED
        case Action.ROLLBACK if is_recorded_only(decision, bounds):
            return Course.RECORDED
        case Action.ROLLBACK:
            question = why_ask(decision, Trigger.ALERT, Autonomy.L4, bounds)
            return Course.ROLLED_BACK if question is None else Course.PROPOSED


def _same(one: Decision, other: Decision) -> bool:
    return (one.branch, one.action) == (other.branch, other.action)
