"""Opens the segments of the audit trail for reading, as they are at one moment."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from receiver.audit_files import TrailFiles

Inode = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the trail, and how much of it there is; `active` is open where it is the one that is written."""

    path: Path
    inode: Inode
    size: int
    active: BufferedReader | None = None

    def lines(self, begin: int, end: int) -> Iterator[bytes]:
        """The lines from one byte to another, with their newlines; raises OSError.

        A closed one is read to its end; what stands in the active one after the last newline is still being written.
        """
        with self.opened() as file:
            file.seek(begin)
            while begin < end:
                line = file.readline()
                begin += len(line)
                if not line or begin > end or (self.active and not line.endswith(b"\n")):
                    return
                yield line

    @contextmanager
    def opened(self) -> Iterator[BufferedReader]:
        """The file, open for reading; raises OSError."""
        if self.active is not None:
            yield self.active
            return
        with _open(self.path) as file:
            yield file


@contextmanager
def segments(files: TrailFiles) -> Iterator[list[Segment]]:
    """All segments, oldest first; raises OSError.

    The sizes are those while nobody writes: what is there then is not taken back. The active one is held open, since
    its name may pass to another file.
    """
    with ExitStack() as stack:
        active = _lock_active(files.active, stack)
        closed = [_segment(path, os.lstat(path)) for path in files.closed()]
        if active is None:
            yield closed
            return
        found = _segment(files.active, os.fstat(active.fileno()), active)
        fcntl.flock(active, fcntl.LOCK_UN)
        yield [*closed, found]


def is_at(file: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False


def _lock_active(path: Path, stack: ExitStack) -> BufferedReader | None:
    """The active segment, locked so that it is neither written nor closed; None where there is none."""
    while True:
        try:
            file = _open(path)
        except FileNotFoundError:
            return None
        fcntl.flock(file, fcntl.LOCK_SH)
        if is_at(file.fileno(), path):
            return stack.enter_context(file)
        file.close()


def _open(path: Path) -> BufferedReader:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")


def _segment(path: Path, found: os.stat_result, active: BufferedReader | None = None) -> Segment:
    return Segment(path, (found.st_dev, found.st_ino), found.st_size, active)
