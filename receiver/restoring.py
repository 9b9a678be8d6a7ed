"""Puts a backup back because a person says so: what is there now is kept, nothing else happens meanwhile, audited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from receiver.backup.restore import RestorePlan
from receiver.backup_by_hand import back_up_by_hand
from receiver.errors import BackupError, NotPossible, RestoreError
from receiver.journal import deployments, incidents, runs
from receiver.world import World


def restore(world: World, plan: RestorePlan, person: str, keep_present: bool, tell: Callable[[str], None]) -> None:
    """Do what `plan` says, and `tell` of each part as it is done; raises NotPossible, RestoreError and AuditError.

    The deployment is latched from then on, until a person has looked and lifts that.
    """
    with world.database.read() as tx:
        _require_quiet(tx, world.deployment)
    if keep_present:
        tell(f"What is there now is kept as {_keep_present(world, plan, person)}.")
    with world.database.write() as tx:
        deployments.latch(tx, world.deployment, world.database.now(tx), f"{person} put {plan.id} back")
        _require_quiet(tx, world.deployment)
        _record(world, plan, person, "restore", f"put {plan.id} back", parts=[str(part) for part in plan.parts])
    for number, part in enumerate(plan.parts):
        try:
            tell(f"{part.source.restore(part.directory, plan.stamp)}.")
        except (BackupError, RestoreError) as error:
            reason = _how_far(plan, number, str(error))
            _record(world, plan, person, "restore:failed", reason)
            raise RestoreError(reason) from error
    _record(world, plan, person, "restore:done", f"{plan.id} is put back")


def _require_quiet(tx: sa.Connection, deployment: str) -> None:
    incident = incidents.open_incident(tx, deployment)
    if incident is not None and runs.active(tx, incident):
        raise NotPossible(
            f"a run of {deployment} is under way, and two hands at once spoil it; wait for its end or deny its plan: "
            f"`rollback-agent show {incident}`"
        )


def _keep_present(world: World, plan: RestorePlan, person: str) -> str:
    try:
        made = back_up_by_hand(world, (part.source for part in plan.parts), person, f"before {plan.id} is put back")
    except BackupError as error:
        raise RestoreError(
            f"nothing was done, since what is there now cannot be kept: {error}; with --without-backup it is not kept"
        ) from error
    return Path(made.directory).name


def _how_far(plan: RestorePlan, number: int, reason: str) -> str:
    done = ", ".join(map(str, plan.parts[:number])) or "nothing"
    left = ", ".join(map(str, plan.parts[number + 1 :])) or "nothing"
    return f"{plan.parts[number]} could not be put back: {reason}; {done} was put back before, {left} is left to do"


def _record(world: World, plan: RestorePlan, person: str, decision: str, reason: str, **facts: object) -> None:
    world.audit.record(decision, reason, actor=person, deployment=world.deployment, facts={"backup": plan.id, **facts})
