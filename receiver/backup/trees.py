"""Copies a tree of files as it stands at one moment, or says why it cannot; links are kept and never followed."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver.errors import BackupError


@dataclass(frozen=True, slots=True)
class Seen:
    """What one entry of a tree was when it was looked at; two that are equal have not been written between."""

    mode: int
    inode: int
    size: int = 0
    modified: int = 0
    changed: int = 0
    leads_to: str | None = None


def look(root: Path) -> dict[Path, Seen]:
    """Every file, directory and link from `root` down, each after its directory.

    Raises OSError, and BackupError for what is none of these: a socket, a pipe, a device.
    """
    found: dict[Path, Seen] = {}
    waiting = [root]
    while waiting:
        path = waiting.pop()
        found[path] = _seen(path)
        if stat.S_ISDIR(found[path].mode):
            waiting += sorted(path.iterdir(), reverse=True)
    return found


def _seen(path: Path) -> Seen:
    now = path.lstat()
    if stat.S_ISDIR(now.st_mode):
        return Seen(now.st_mode, now.st_ino)  # its times change with its entries, and those are looked at one by one
    if stat.S_ISLNK(now.st_mode):
        leads_to = os.readlink(path)  # noqa: PTH115 - a Path would tidy up what stands there
        return Seen(now.st_mode, now.st_ino, leads_to=leads_to)
    if not stat.S_ISREG(now.st_mode):
        raise BackupError(f"{path} is no file, directory or link, so it cannot be kept; list what is beside it instead")
    return Seen(now.st_mode, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def require_closed(root: Path, tree: dict[Path, Seen]) -> None:
    """Raises BackupError for a link that leads out of `root`: what it means would be missing where it seems to be."""
    inside = os.path.realpath(root)
    for path, seen in tree.items():
        if seen.leads_to is not None and not Path(os.path.realpath(path)).is_relative_to(inside):
            raise BackupError(
                f"{path} is a link that leads out of {root}, to {seen.leads_to}; "
                "list what it leads to as well and move the link, or list what is beside it instead"
            )


def copy(root: Path, tree: dict[Path, Seen], to: Path) -> None:
    """Make `to` what `tree` says `root` is; raises OSError.

    Modes and times are kept, and owners where this process may give files away.
    """
    for path, seen in tree.items():
        new = to / path.relative_to(root)
        if stat.S_ISDIR(seen.mode):
            new.mkdir(mode=0o700)
        elif seen.leads_to is not None:
            new.symlink_to(seen.leads_to)
        else:
            shutil.copyfile(path, new, follow_symlinks=False)
    for path in reversed(tree):  # a directory after what is in it: it may be one that nobody may write to
        keep_attributes(path, to / path.relative_to(root))


def keep_attributes(path: Path, new: Path) -> None:
    """Give `new` the owner, as far as allowed, and the mode and times of `path`; raises OSError."""
    was = path.lstat()
    with suppress(PermissionError):
        os.chown(new, was.st_uid, was.st_gid, follow_symlinks=False)
    shutil.copystat(path, new, follow_symlinks=False)


def first_difference(one: dict[Path, Seen], other: dict[Path, Seen]) -> Path | None:
    """The first entry that is not the same in both."""
    return min((path for path in one.keys() | other.keys() if one.get(path) != other.get(path)), default=None)


def remove(tree: Path) -> None:
    """Remove a copy, also with directories that nobody may write to; never follows a link; raises OSError."""
    if not tree.is_symlink() and tree.is_dir():
        tree.chmod(0o700)
        for directory, below, _ in os.walk(tree):
            for name in below:
                inner = Path(directory, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(tree)
    else:
        tree.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Return when a file's content, or a directory's entries, are on disk; raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(root: Path) -> None:
    """Return when everything from `root` down is on disk; raises OSError."""
    for path, seen in reversed(look(root).items()):
        if seen.leads_to is None:
            sync(path)
