"""Brings a fault about in a sandbox, waits for what the agent does, and takes the fault away again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from receiver.config import Config
from receiver.config.drills import Drill
from receiver.drills.judge import DrillResult, judge, moments
from receiver.errors import NotPossible, ProgramError
from receiver.journal import deployments, incidents, views
from receiver.journal.database import Database
from receiver.journal.views import View
from receiver.kill_switch import look
from receiver.model import DrillEnding
from receiver.operators import Operators, Person
from receiver.program import run_program

LONGEST = 600.0
"""Seconds that the command has which brings the fault about, and that which takes it away."""
_EVERY = 0.5
Tell = Callable[[str, float], None]
"""Is told once that the fault is there, and of each moment of `judge.moments`, with the seconds since the fault."""


def drill_fault(
    config: Config, database: Database, operators: Operators, name: str, person: Person, *, confirms: bool, tell: Tell
) -> DrillResult:
    """Do the drill `name` of the configuration; with `confirms` a plan that is asked about is confirmed as `person`.

    Raises NotPossible, with nothing broken, where the deployment is not calm, and AuditError.
    """
    drill = config.drills[name]
    with database.read() as tx:
        _require_calm(tx, config, drill)
    id_ = operators.begin_drill(drill.deployment, name, person)
    found = DrillResult(False, "it was interrupted")
    try:
        found = _break_and_watch(database, operators, drill, person if confirms else None, tell)
    finally:
        found = _mend(drill, found)
        operators.end_drill(id_, drill.deployment, found.is_good, found.reason, found.incident, person)
    return found


def _require_calm(tx: sa.Connection, config: Config, drill: Drill) -> None:
    """A drill has to begin where all is well: otherwise nobody could say what led to what."""
    name = drill.deployment
    incident, latch = incidents.open_incident(tx, name), deployments.latch_of(tx, name)
    if incident is not None:
        raise NotPossible(f"incident {incident} of {name} is open; a drill begins where nothing fires")
    if latch is not None:
        raise NotPossible(f"{name} is latched ({latch.reason}); `rollback-agent clear {name}` lifts that")
    on, unknown = look(config, tx)
    if drill.ends is DrillEnding.RESTORED and on is not False:
        raise NotPossible(f"{unknown or 'the kill switch is on'}, so nothing would be rolled back")


def _break_and_watch(
    database: Database, operators: Operators, drill: Drill, confirmed_by: Person | None, tell: Tell
) -> DrillResult:
    with database.read() as tx:
        began_at = database.now(tx)
    fault = _fails(drill.fault)
    if fault is not None:
        return DrillResult(False, f"the fault could not be brought about: {fault}")
    tell("broken", 0.0)
    told: set[str] = set()
    while True:
        with database.read() as tx:
            now = database.now(tx)
            newest = next(iter(views.incidents(tx, 1, drill.deployment)), None)
        incident = newest if newest is not None and newest["opened_at"] >= began_at else None
        for moment, at in moments(incident).items() if incident is not None else ():
            if moment not in told:
                told.add(moment)
                tell(moment, at - began_at)
        found = judge(drill, incident, began_at, now)
        if found is not None:
            return found
        if confirmed_by is not None and incident is not None:
            _confirm(operators, incident, confirmed_by)
        time.sleep(_EVERY)


def _confirm(operators: Operators, incident: View, person: Person) -> None:
    for run in incident["runs"]:
        approval = run["approval"]
        if (
            approval
            and approval["state"] == "pending"
            and all(vote["person"] != person.name for vote in approval["votes"])
        ):
            operators.approve(incident["id"], approval["plan_hash"], person, "confirmed by the drill")


def _mend(drill: Drill, found: DrillResult) -> DrillResult:
    if drill.mend is None:
        return found
    fault = _fails(drill.mend)
    if fault is None:
        return found
    return replace(found, is_good=False, reason=f"{found.reason}; the fault could not be taken away: {fault}")


def _fails(argv: tuple[str, ...]) -> str | None:
    """Why a command did not end with 0, or None."""
    try:
        ended = run_program(argv, LONGEST)
    except ProgramError as error:
        return str(error)
    said = f": {ended.said.strip()}" if ended.said.strip() else ""
    return f"{argv[0]} ended with {ended.exit_code}{said}" if ended.exit_code else None
