"""Which files are kept no longer, and their removal: the oldest first, and never one that is needed or young."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver.backup import trees
from receiver.config.retention import SETTLED, Files
from receiver.retention.store import Store

AT_ONCE = 100
"""Of one record of the audit trail."""
REMOVING = ".removing-"
"""How a directory is named while it is removed, so that half of one is never taken for one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Files and directories that belong together; `changed_at` is when any last was (Unix seconds)."""

    name: str
    paths: tuple[Path, ...]
    changed_at: float
    bytes: int
    is_needed: bool


def measured(name: str, paths: Iterable[Path], is_needed: bool) -> Kept | None:
    """What these take; None where none of them is there. Links are never followed; raises OSError."""
    found, changed_at, size = [], 0.0, 0
    for path in paths:
        for one in _in(path):
            about = one.lstat()
            changed_at, size = max(changed_at, about.st_mtime), size + about.st_size
        if path.exists() or path.is_symlink():
            found.append(path)
    return Kept(name, tuple(found), changed_at, size, is_needed) if found else None


def beyond(kept: Iterable[Kept], limits: Files, now: float) -> tuple[Kept, ...]:
    """Those older than `limits` or, beginning with the oldest, those by which all are larger; the oldest first."""
    ordered = sorted(kept, key=lambda one: (one.changed_at, one.name))
    surplus = sum(one.bytes for one in ordered) - limits.bytes
    going: list[Kept] = []
    for one in ordered:
        age = now - one.changed_at
        if not one.is_needed and age >= SETTLED and (age >= limits.age or surplus > 0):
            going.append(one)
            surplus -= one.bytes
    return tuple(going)


def remove_all(store: Store, going: Sequence[Kept], kind: str, named: str, *, dry_run: bool) -> Iterator[Kept]:
    """Remove them, each once the record of it is on disk; with `dry_run` only say which would go.

    `kind` is the kind in the singular, `named` what their names are in the record; raises OSError and AuditError.
    """
    for begin in range(0, len(going), AT_ONCE):
        portion = going[begin : begin + AT_ONCE]
        if not dry_run:
            names = {named: [one.name for one in portion]}
            store.audit.record(f"{kind}:removed", f"beyond retention.{kind}s", actor=store.actor, facts=names)
        for one in portion:
            if not dry_run:
                remove(one)
            yield one


def remove(kept: Kept) -> None:
    """Remove them, in their order; what is gone already is no error. Raises OSError; another call goes on."""
    for path in kept.paths:
        if path.is_dir() and not path.is_symlink():
            going = path.with_name(f"{REMOVING}{path.name}")
            with suppress(FileNotFoundError):  # another process of this agent, a person's, does the same
                path.rename(going)
                trees.remove(going)
        else:
            path.unlink(missing_ok=True)


def remove_remains(directory: Path) -> None:
    """Remove what an end of the agent in the middle of a removal left behind; raises OSError."""
    for entry in _entries(directory):
        if entry.name.startswith(REMOVING) and entry.is_dir() and not entry.is_symlink():
            trees.remove(entry)


def regular_files(directory: Path) -> Iterator[Path]:
    """The files of a directory, no links; nothing where there is no such directory. Raises OSError."""
    return (entry for entry in _entries(directory) if stat.S_ISREG(entry.lstat().st_mode))


def directories(directory: Path) -> Iterator[Path]:
    """The directories in a directory, no links; nothing where there is no such directory. Raises OSError."""
    return (entry for entry in _entries(directory) if stat.S_ISDIR(entry.lstat().st_mode))


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _in(path: Path) -> Iterator[Path]:
    """The path and all below it, as far as they are there."""
    if path.is_symlink() or path.exists():
        yield path
    if path.is_dir() and not path.is_symlink():
        for parent, below, names in os.walk(path):
            yield from (Path(parent, name) for name in (*below, *names))
