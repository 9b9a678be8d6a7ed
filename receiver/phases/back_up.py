"""Makes the backup, before anything is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from receiver.audit import AGENT
from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.retention import remove, remove_remains, superfluous
from receiver.backup.sources import configured
from receiver.backup.stored import all_in
from receiver.errors import BackupError
from receiver.journal import runs
from receiver.log import get_log
from receiver.model import Outcome, Proceed, Refusal, Run
from receiver.phases.guard import refuse, switched_off
from receiver.phases.lowered import lowered
from receiver.world import World


def back_up(run: Run, world: World) -> Outcome:
    """A complete backup, read back, or no rollback."""
    if stop := switched_off(run, world) or lowered(run, world):
        return stop
    plan = run.findings.require_plan()
    texts = {
        "plan.json": json.dumps(plan.document(), indent=2),
        "configuration.json": world.config.model_dump_json(indent=2),
    }
    about = About(run.deployment, run.id, AGENT, world.clock(), plan.live_release, plan.live_commit)
    try:
        made = make(configured(world.settings.backup), world.config.backups, about, texts)
    except BackupError as error:
        return refuse(run.findings, (Refusal("backup_created", str(error)),))
    _remove_superfluous(run, world, Path(made.directory))
    return Proceed(
        replace(run.findings, backup=replace(made, replica=world.replica)),
        f"{made.files} files, {made.bytes} bytes, read back: {made.directory}",
    )


def _remove_superfluous(run: Run, world: World, newest: Path) -> None:
    """Older backups go once there is a new one; that one cannot be removed stops nothing."""
    keep = world.settings.backup.keep
    with world.database.read() as tx:
        needed = runs.of_open_incidents(tx)
    try:
        remove_remains(world.config.backups, world.clock())
        found = all_in(world.config.backups)
        for one in superfluous(found, run.deployment, keep, needed, newest, world.clock()):
            if one.is_held():
                continue  # somebody puts it back
            reason = f"{one.id} is beyond what backup.keep says"
            world.audit.record("backup:removed", reason, deployment=run.deployment, run=run.id)
            remove(one)
            get_log().info("a backup was removed", backup=one.id)
    except (BackupError, OSError) as error:
        get_log().warning("old backups cannot be removed", error=str(error))
