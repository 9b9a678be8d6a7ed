"""A drill that breaks nothing: an alert of its own goes the way of all others, and a rollback is planned, not done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from receiver.config.drills import REHEARSAL
from receiver.drills.judge import DrillResult
from receiver.dry_run import DryRun, dry_run
from receiver.errors import AlertmanagerError, RollbackAgentError
from receiver.inbox import DRILL
from receiver.journal import drills
from receiver.journal.database import Database
from receiver.model import Level, RaisedAlert
from receiver.operators import Operators, Person
from receiver.world import World

ARRIVES_WITHIN = 60.0
"""Seconds; six times the `group_interval` that the shipped route has."""
_EVERY = 0.25
_WHERE_TO_LOOK = 'look at Alertmanager\'s route for branch=~".+", at its log, and at rollback_notifications_total'


class Herald(Protocol):
    """Alertmanager, as a rehearsal sees it; raises AlertmanagerError."""

    def tell(self, alert: RaisedAlert) -> None:
        """Let an alert fire until its end, or end it now."""
        ...


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How it went, how long the alert took to the inbox (seconds), and what a rollback would have been."""

    found: DrillResult
    arrived_after: float | None = None
    would_be: DryRun | None = None


def rehearse(
    world: World,
    alertmanager: Herald,
    operators: Operators,
    person: Person,
    arrives_within: float = ARRIVES_WITHIN,
) -> Rehearsed:
    """Rehearse a fast rollback of the deployment; raises NotPossible where another drill of it goes on."""
    id_ = operators.begin_drill(world.deployment, REHEARSAL, person)
    rehearsed = Rehearsed(DrillResult(False, "it was interrupted"))
    try:
        rehearsed = _rehearse(world, alertmanager, id_, person, arrives_within)
    finally:
        found = rehearsed.found
        operators.end_drill(id_, world.deployment, found.is_good, found.reason, found.incident, person)
    return rehearsed


def _rehearse(world: World, alertmanager: Herald, drill: str, person: Person, arrives_within: float) -> Rehearsed:
    began = time.monotonic()
    try:
        with _firing(alertmanager, world.deployment, drill):
            has_arrived = _wait(lambda: _arrived(world.database, drill), began + arrives_within)
    except AlertmanagerError as error:
        return Rehearsed(DrillResult(False, str(error)))
    if not has_arrived:
        return Rehearsed(
            DrillResult(False, f"the alert has not come to the agent within {arrives_within:g} s; {_WHERE_TO_LOOK}")
        )
    rehearsed = Rehearsed(DrillResult(True, ""), arrived_after=time.monotonic() - began)
    try:
        would_be = dry_run(world, Level.FAST, person.name)
    except RollbackAgentError as error:
        return replace(rehearsed, found=DrillResult(False, f"no rollback could be planned: {error}"))
    return replace(rehearsed, would_be=would_be, found=_judge(would_be))


def _judge(would_be: DryRun) -> DrillResult:
    if would_be.refusals:
        said = "; ".join(f"{refusal.guardrail}: {refusal.reason}" for refusal in would_be.refusals)
        return DrillResult(False, f"a rollback would be refused at this moment: {said}")
    plan = would_be.plan
    return DrillResult(True, f"{plan.live_release} could be rolled back to {plan.target_release}; nothing was touched")


@contextmanager
def _firing(alertmanager: Herald, deployment: str, drill: str) -> Iterator[None]:
    """The alert fires in Alertmanager, and ends at the latest an hour later, should nobody be left to end it."""
    labels = {"alertname": DRILL, "branch": "drill", "deployment": deployment, "drill": drill}
    now = time.time()
    alert = RaisedAlert(labels, {"summary": "A drill: nothing is wrong"}, now, now + 3600, None)
    alertmanager.tell(alert)
    try:
        yield
    finally:
        with suppress(AlertmanagerError):
            alertmanager.tell(replace(alert, ends_at=time.time()))


def _arrived(database: Database, drill: str) -> bool:
    with database.read() as tx:
        return drills.arrived_at(tx, drill) is not None


def _wait(condition: Callable[[], bool], deadline: float) -> bool:
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_EVERY)
    return True
