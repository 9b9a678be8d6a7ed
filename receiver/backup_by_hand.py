"""Makes a backup because a person wants one: audited, with the same demands as before a rollback."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from receiver.backup.contents import About
from receiver.backup.make import Source, make, size_needed
from receiver.errors import BackupError, TargetError
from receiver.journal.database import new_id
from receiver.model import Backup
from receiver.world import World


def back_up_by_hand(world: World, sources: Iterable[Source], person: str, why: str) -> Backup:
    """A backup of these sources of a deployment; raises BackupError, and AuditError: then none was made."""
    sources = tuple(sources)
    _require_space(world, size_needed(sources))
    try:
        live = world.target.live()
    except TargetError:
        live = None  # what is kept is of use all the same, and a person may want it just because all is broken
    about = About(
        deployment=world.deployment,
        id=new_id(),
        made_by=person,
        made_at=world.clock(),
        live_release=live.id if live else None,
        live_commit=live.commit if live else None,
    )
    world.audit.record("backup", why, actor=person, deployment=world.deployment, facts={"id": about.id})
    return make(sources, world.config.backups, about, {"configuration.json": world.config.model_dump_json(indent=2)})


def _require_space(world: World, needed: int) -> None:
    """The same demand as the guardrail disk_space has."""
    needed += world.config.guardrails.disk_space.minimum_bytes
    free = shutil.disk_usage(world.config.root).free
    if free < needed:
        raise BackupError(f"{free / 1e9:.2f} GB are free, {needed / 1e9:.2f} GB are needed for a backup")
