"""The backups that there are: found by name, each with what it says of itself. What is not ours is never looked at."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from receiver.backup import contents
from receiver.backup.contents import Contents
from receiver.backup.manifest import MANIFEST, read_back
from receiver.errors import BackupError, NotFound
from receiver.model import Backup

_NAME = re.compile(r"state-\d{8}-\d{6}-[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Stored:
    """One backup by its name; `contents` and `bytes` are None where they cannot be read, and `fault` says why."""

    id: str
    directory: Path
    contents: Contents | None
    bytes: int | None
    fault: str | None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody removes it meanwhile, in no process; raises BackupError where it is gone."""
        try:
            directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BackupError(f"{self.directory}: cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(directory, fcntl.LOCK_SH)
            yield
        finally:
            os.close(directory)

    def is_held(self) -> bool:
        """Whether somebody reads it, to put it back or to see that it is whole; raises OSError."""
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(directory)
        return False

    def verify(self) -> tuple[Backup, Contents]:
        """Read all of it back; raises BackupError. Nothing of a backup is used before."""
        return read_back(self.directory), contents.read(self.directory)


def all_in(directory: Path) -> tuple[Stored, ...]:
    """Every backup in `directory`, the newest first; raises BackupError where it cannot be listed."""
    try:
        names = [entry.name for entry in directory.iterdir() if _is_ours(entry)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BackupError(f"{directory}: cannot be listed: {error.strerror}") from error
    return tuple(_stored(directory / name) for name in sorted(names, reverse=True))


def find(directory: Path, id_: str) -> Stored:
    """The backup of that name; raises NotFound."""
    if _NAME.fullmatch(id_) and _is_ours(directory / id_):
        return _stored(directory / id_)
    raise NotFound(f"there is no backup {id_} in {directory}; `rollback-agent backup list` lists them")


def _is_ours(entry: Path) -> bool:
    return _NAME.fullmatch(entry.name) is not None and entry.is_dir() and not entry.is_symlink()


def _stored(directory: Path) -> Stored:
    try:
        lines = (directory / MANIFEST).read_text(encoding="ascii").splitlines()
        size = sum(int(line.split("  ", 2)[1]) for line in lines)
        return Stored(directory.name, directory, contents.read(directory), size, None)
    except BackupError as error:
        return Stored(directory.name, directory, None, None, str(error))
    except (OSError, ValueError, IndexError) as error:
        return Stored(directory.name, directory, None, None, f"{directory / MANIFEST}: cannot be read: {error}")
