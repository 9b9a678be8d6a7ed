"""Backups beyond `backup.keep`: they go although no new one was made, unless anything may want them."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.backup.retention import remove, remove_remains, superfluous
from receiver.backup.stored import Stored, all_in
from receiver.errors import BackupError
from receiver.journal import runs
from receiver.retention.store import Store


def backups(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those of each configured deployment; their ids. Raises BackupError where its newest is not whole.

    None of a deployment that is latched, as while one is put back, or that has a run under way, which may make one.
    """
    directory, now = store.config.backups, store.clock()
    if not directory.is_dir():
        return
    if not dry_run:
        remove_remains(directory, now)
    needed, found, faults = store.in_use(), all_in(directory), []
    for deployment, settings in store.config.deployments.items():
        own = [one for one in found if one.contents and one.contents.about.deployment == deployment]
        if not own or deployment in needed.latched or _is_under_way(store, deployment):
            continue
        newest = max(own, key=_made_at)
        going = superfluous(own, deployment, settings.backup.keep, needed.runs, newest.directory, now)
        try:
            if going:
                newest.verify()  # or an older one may be the only one that can be put back
        except BackupError as error:
            faults.append(f"{deployment}: {error}")
            continue  # those of the others go all the same
        for one in going:
            if one.is_held():
                continue  # somebody puts it back
            if not dry_run:
                reason = f"{one.id} is beyond what backup.keep says"
                store.audit.record("backup:removed", reason, actor=store.actor, deployment=deployment)
                remove(one)
            yield one.id
    if faults:
        raise BackupError("; ".join(faults))


def _made_at(stored: Stored) -> float:
    return stored.contents.about.made_at if stored.contents else 0.0


def _is_under_way(store: Store, deployment: str) -> bool:
    with store.database.read() as tx:
        return runs.phase_under_way(tx, deployment) is not None
