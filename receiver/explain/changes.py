"""Which other value would have changed a decision, the nearest first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from receiver.config import DecisionBounds
from receiver.durations import in_words
from receiver.model import Action, Level
from receiver.tree.branches import BranchRule, BranchState, State
from receiver.tree.conditions import COMPARISONS, Condition
from receiver.tree.readings import Reading
from receiver.tree.snapshot import Snapshot
from receiver.tree.units import Unit, in_unit
from receiver.tree.whatif import Supposed, deciding, known_from
from receiver.tree.words import value_in_words

MOST = 3
_TURNED = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
_AT = {
    ">": "above {}",
    ">=": "at {} or more",
    "<": "below {}",
    "<=": "at {} or less",
    "==": "at {}",
    "!=": "at anything but {}",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that would have changed what was done.

    `distance` is how far off it was, as a share of the larger of value and limit: 0 is no step at all, 1 the longest.
    """

    query: str
    service: str | None
    value: float
    limit: float
    distance: float
    branch: str | None
    """The branch that would have decided then; None: none."""
    sentence: str


def nearest(snapshot: Snapshot, branch: str, bounds: DecisionBounds) -> tuple[Change, ...]:
    """What would have changed the decision of `branch`, the nearest first.

    A single value is moved each time, and all that is compared with it; empty where the tree, as it was read, does not
    give that branch.
    """
    states, known = snapshot.state, known_from(snapshot.values)
    actual = deciding(states, known)
    if actual is None or actual.rule.branch != branch:
        return ()
    found: dict[tuple[str, str | None, str], Change] = {}
    for state in states.branches:
        for condition, reading, limit, operator in _steps(state):
            query = condition.left.query
            then = deciding(states, known, Supposed(query, reading.service, limit))
            before, after = _outcome(actual.rule, bounds), _outcome(then.rule if then else None, bounds)
            if before == after:
                continue
            change = _change(condition, reading, operator, then, after)
            key = query, reading.service, after
            if key not in found or change.distance < found[key].distance:
                found[key] = change
    return tuple(sorted(found.values(), key=lambda one: (one.distance, one.query, one.service or ""))[:MOST])


def pending(snapshot: Snapshot) -> tuple[str, ...]:
    """A sentence for each branch whose condition held, but not for long enough yet."""
    return tuple(
        f"{one.rule.branch} (rank {one.rule.rank}) was pending and would have fired "
        f"{in_words((one.fires_at or snapshot.at) - snapshot.at)} later"
        for one in snapshot.state.branches
        if one.state is State.PENDING
    )


def _steps(state: BranchState) -> Iterator[tuple[Condition, Reading, float, str]]:
    """Each comparison that one other value would turn: with that value, and how it compares then."""
    for measured in state.measured:
        condition = measured.condition
        if condition.left.literal is not None or condition.unit is Unit.TIMESTAMP:
            continue
        for reading in measured.readings:
            threshold = reading.threshold
            if threshold is None or not math.isfinite(threshold) or not math.isfinite(reading.value):
                continue
            now = COMPARISONS[condition.operator](reading.value, threshold)
            operator = _TURNED[condition.operator] if now else condition.operator
            yield condition, reading, _least(operator, threshold), operator


def _least(operator: str, threshold: float) -> float:
    """The value nearest to the threshold that compares like that."""
    match operator:
        case ">" | "!=":
            return math.nextafter(threshold, math.inf)
        case "<":
            return math.nextafter(threshold, -math.inf)
        case _:
            return threshold


def _change(condition: Condition, reading: Reading, operator: str, then: BranchState | None, outcome: str) -> Change:
    limit = reading.threshold or 0.0
    larger = max(abs(reading.value), abs(limit))
    whose = f" of {reading.service}" if reading.service else ""
    at = _AT[operator].format(in_unit(limit, condition.unit))
    waits = then is not None and then.state is not State.FIRING and then.rule.rule.duration
    held = f", held for {in_words(then.rule.rule.duration)}" if then is not None and waits else ""
    who = f"{then.rule.branch} (rank {then.rule.rank}) would have decided: {outcome}" if then else outcome
    was = value_in_words(condition, reading)
    return Change(
        query=condition.left.name,
        service=reading.service,
        value=reading.value,
        limit=limit,
        distance=abs(reading.value - limit) / larger if larger else 0.0,
        branch=then.rule.branch if then else None,
        sentence=f"{condition.left.name}{whose} was {was}: {at}{held}, {who}",
    )


def _outcome(rule: BranchRule | None, bounds: DecisionBounds) -> str:
    """What is done where this branch decides, whatever the level of autonomy."""
    if rule is None:
        return "nothing would have fired"
    if rule.action == Action.WATCH:
        return "watched, not rolled back"
    if rule.action != Action.ROLLBACK:
        return "a person is asked"
    confidence = rule.confidence or 0.0
    if confidence < bounds.ask_from:
        return f"a {rule.level} rollback, only recorded"
    is_asked = rule.level == Level.FULL or confidence <= bounds.execute_above
    return f"a {rule.level} rollback{', put to a person' if is_asked else ''}"
