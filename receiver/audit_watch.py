"""Follows the audit trail from outside: whether its chain holds, and whether it is still the one that was there."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader

from receiver.audit_chain import Chain, Head
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.errors import AuditError
from receiver.log import get_log

READ_ALL_EVERY = 300.0
"""Seconds between two readings of the whole file; only these find what was changed in what had been read."""


@dataclass(frozen=True, slots=True)
class AuditState:
    """The trail at the last look. Once it shrank, was replaced, or went away, it is not intact until a restart."""

    head: Head
    intact: bool


class AuditWatch:
    """One trail; `look` reads what was appended, and now and then everything. `state` is None before the first look."""

    def __init__(self, files: TrailFiles, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._files = files
        self._monotonic = monotonic
        self._start_over()
        self._inode: tuple[int, int] | None = None
        self._read_all_at: float | None = None
        self._lost: str | None = None
        self.state: AuditState | None = None

    def look(self) -> None:
        """Read on, and judge."""
        unreadable: str | None = None
        try:
            self._open_and_read()
        except OSError as error:  # such as a link in its place: what cannot be read is not known to hold
            unreadable = f"it cannot be read: {error.strerror}"
        except AuditError as error:  # without its key nobody can tell
            unreadable = str(error)
        fault = self._chain.fault
        why = self._lost or unreadable or (f"line {fault.line}: {fault.reason}" if fault else None)
        if why is not None and (self.state is None or self.state.intact):
            get_log().critical("the audit trail does not hold", reason=why)
        self.state = AuditState(self._chain.head, why is None)

    def _open_and_read(self) -> None:
        try:
            file = os.open(self._files.active, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            if self._inode is not None:
                self._lose("it is gone")
            self._start_over()
            return
        with os.fdopen(file, "rb") as opened:
            self._read(opened)

    def _read(self, file: BufferedReader) -> None:
        inode, size = _whole_size(file)
        if self._inode not in (None, inode):
            self._lose("it was replaced by another file")
            self._start_over()
        elif size < self._position:
            self._lose("it is shorter than it was")
            self._start_over()
        self._inode = inode
        now = self._monotonic()
        if self._read_all_at is None or now - self._read_all_at >= READ_ALL_EVERY:
            self._read_all_at = now
            known, until = self._chain.head, self._position
            self._start_over()
            self._read_to(file, until)
            if self._chain.fault is None and self._chain.head != known:
                self._lose("its records are not those that it had")
        self._read_to(file, size)

    def _read_to(self, file: BufferedReader, end: int) -> None:
        """Take up the whole lines up to `end`; of a line that has not ended, nothing."""
        file.seek(self._position)
        while self._position < end:
            line = file.readline()
            if not line.endswith(b"\n") or self._position + len(line) > end:
                return
            self._chain.add(line[:-1])
            self._position += len(line)

    def _start_over(self) -> None:
        self._chain, self._position = Chain(AuditKey(self._files.key)), 0

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why


def _whole_size(file: BufferedReader) -> tuple[tuple[int, int], int]:
    """Which file it is, and its size while nobody is writing: what is there then is not taken back."""
    fcntl.flock(file, fcntl.LOCK_SH)
    try:
        found = os.fstat(file.fileno())
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
    return (found.st_dev, found.st_ino), found.st_size
