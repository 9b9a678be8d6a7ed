"""Keeps a file or a directory, as it stands at one moment."""

from __future__ import annotations

import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver.backup import trees
from receiver.backup.contents import Kind
from receiver.backup.manifest import require_same
from receiver.errors import BackupError, RestoreError

ATTEMPTS = 3
"""How often a tree that changes while it is copied is copied again, before it is given up."""
PAUSE = 0.2
"""Seconds before it is copied again."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the copy is, where it belongs, where it is written first, and where what is there goes."""

    saved: Path
    root: Path
    beside: Path
    aside: Path


class PathSource:
    """What stands at one path; a path that is itself a link stands for what it leads to."""

    kind = Kind.PATHS

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def size(self) -> int:
        """The bytes of all its files; raises BackupError where one of them cannot be kept."""
        try:
            root = self._root()
            tree = trees.look(root)
            trees.require_closed(root, tree)
            for path, seen in tree.items():
                if stat.S_ISREG(seen.mode):
                    path.open("rb").close()
        except OSError as error:
            raise self._unreadable(error) from error
        return sum(seen.size for seen in tree.values())

    def save(self, directory: Path) -> None:
        """Copy it below `directory`; raises BackupError and OSError. It is the same before and after, or no copy."""
        root = self._root()
        if directory.resolve().is_relative_to(root):
            raise BackupError(f"{root} holds the backups themselves; list what is beside them instead")
        pause = threading.Event()
        for attempt in range(ATTEMPTS):
            if attempt:
                pause.wait(PAUSE)
            changed = self._try(root, directory / root.name)
            if changed is None:
                return
            trees.remove(directory / root.name)
        raise BackupError(
            f"{changed} changed while it was copied, {ATTEMPTS} times; stop what writes there, or leave it out"
        )

    def steps(self, directory: Path, stamp: str) -> tuple[str, ...]:
        """What `restore` would do."""
        places = self._places(directory, stamp)
        exists = places.root.exists() or places.root.is_symlink()
        return (
            f"copy {places.saved} to {places.beside}, and compare",
            *((f"rename {places.root} to {places.aside}",) if exists else ()),
            f"rename {places.beside} to {places.root}",
        )

    def restore(self, directory: Path, stamp: str) -> str:
        """Copy it beside its place and switch the names, so that what was there stays; raises RestoreError."""
        places = self._places(directory, stamp)
        try:
            trees.copy(places.saved, trees.look(places.saved), places.beside)
            require_same(places.saved, places.beside)
            kept = _switch(places)
        except (OSError, BackupError) as error:
            with suppress(OSError):
                trees.remove(places.beside)
            raise RestoreError(f"{places.root} is as it was: {error}") from error
        return f"{places.root} is restored" + (f"; what was there is {places.aside}" if kept else "")

    def _places(self, directory: Path, stamp: str) -> _Places:
        try:
            (saved,) = directory.iterdir()
            root = self._path.resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise BackupError(f"{directory} holds no copy of {self._path}: {error}") from error
        beside = root.with_name(f".{root.name}.restoring-{stamp}")
        return _Places(saved, root, beside, root.with_name(f"{root.name}.before-restore-{stamp}"))

    def _root(self) -> Path:
        try:
            return self._path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise self._unreadable(error) from error

    def _try(self, root: Path, to: Path) -> Path | None:
        """Copy once; what changed meanwhile."""
        try:
            before = trees.look(root)
            trees.require_closed(root, before)
            trees.copy(root, before, to)
            return trees.first_difference(before, trees.look(root))
        except FileNotFoundError as error:  # it was there a moment ago
            return Path(error.filename)

    def _unreadable(self, error: OSError | RuntimeError) -> BackupError:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        at = getattr(error, "filename", None) or self._path
        return BackupError(f"{at}: cannot be read for the backup: {reason}")


def _switch(places: _Places) -> bool:
    """Put what is beside in its place; whether something was there, which is aside now. Raises OSError."""
    if places.aside.exists():  # a file would be overwritten
        raise FileExistsError(f"{places.aside} is there already")
    try:
        places.root.rename(places.aside)
        was_there = True
    except FileNotFoundError:
        was_there = False
    try:
        places.beside.rename(places.root)
    except OSError:
        if was_there:
            places.aside.rename(places.root)
        raise
    trees.sync(places.root.parent)
    return was_there
