"""Makes the backup, before anything is touched."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from receiver.audit import AGENT
from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.errors import BackupError
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
        "plan.json": json.dumps({**asdict(plan), "hash": plan.hash}, indent=2),
        "configuration.json": world.config.model_dump_json(indent=2),
    }
    about = About(run.deployment, run.id, AGENT, world.clock(), plan.live_release, plan.live_commit)
    try:
        made = make(configured(world.settings.backup), world.config.backups, about, texts)
    except BackupError as error:
        return refuse(run.findings, (Refusal("backup_created", str(error)),))
    return Proceed(
        replace(run.findings, backup=made),
        f"{made.files} files, {made.bytes} bytes, read back: {made.directory}",
    )
