"""Which backups need not be kept any longer, and their removal; in doubt one is kept."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path

from receiver.backup import trees
from receiver.backup.make import PARTIAL
from receiver.backup.stored import Stored
from receiver.config.deployment import Keep

REMOVING = ".removing-"
"""How a backup is named while it is removed, so that half of one is never taken for one."""
LEFT_BEHIND = 86400.0
"""Seconds after which what was begun and not completed is nobody's any more."""


def superfluous(
    stored: Iterable[Stored], deployment: str, keep: Keep, needed: Set[str], newest_good: Path, now: float
) -> tuple[Stored, ...]:
    """The backups of a deployment beyond those to be kept, the oldest first.

    Never one of a run in `needed`, never the newest good one, never one that does not say of itself what it is.
    """
    own = [(one.contents.about, one) for one in stored if one.contents and one.contents.about.deployment == deployment]
    own.sort(key=lambda known: known[0].made_at)
    beyond = {one.id for _, one in own[: -keep.count]} | set(_too_large([one for _, one in own], keep.bytes))
    return tuple(
        one
        for about, one in own
        if (one.id in beyond or (keep.age is not None and about.made_at < now - keep.age))
        and about.id not in needed
        and one.directory != newest_good
    )


def _too_large(own: list[Stored], limit: int | None) -> Iterable[str]:
    """The ids of those, oldest first, that with all newer ones take more than `limit` bytes."""
    size = 0
    for one in reversed(own):
        size += one.bytes or 0
        if limit is not None and size > limit:
            yield one.id


def remove(stored: Stored) -> None:
    """Remove a backup that is not `is_held`; raises OSError. From the first moment on nothing has its name any more."""
    going = stored.directory.with_name(f"{REMOVING}{stored.id}")
    stored.directory.rename(going)
    trees.sync(going.parent)
    trees.remove(going)


def remove_remains(directory: Path, now: float) -> None:
    """Remove what an end of the agent in the middle of a removal or a backup left behind; raises OSError."""
    for entry in directory.iterdir():
        is_partial = entry.name.startswith(PARTIAL) and entry.lstat().st_mtime < now - LEFT_BEHIND
        if (is_partial or entry.name.startswith(REMOVING)) and entry.is_dir() and not entry.is_symlink():
            trees.remove(entry)
