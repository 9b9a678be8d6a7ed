"""Follows a log file through rotation by rename and by truncation, and yields its new lines in blocks."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

log = structlog.get_logger()

MAX_LINE = 1 << 16
"""Bytes of a line that are kept; what follows them up to the end of the line is left out."""
CHUNK = MAX_LINE
"""Bytes that are read at a time: so few that no line but the first of a chunk can be longer than MAX_LINE."""
MAX_POLL = 1 << 24
"""Bytes of a file that one poll reads, so that a burst of lines cannot hold up a scrape without limit."""
RETIRED_FOR = 60.0
"""Seconds a renamed file is still read: its writer goes on using it until it is told to reopen its log."""
MAX_RETIRED = 8


class Tail:
    """The new lines of one path; those that a file held when following began are left out."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._trouble = ""
        self._skip_existing = True
        self._retired: deque[tuple[_File, float]] = deque()
        self._current: _File | None = None
        self._switch()

    @property
    def is_open(self) -> bool:
        return self._current is not None

    @property
    def is_behind(self) -> bool:
        """Whether the last call of blocks() left something unread."""
        files = [file for file, _ in self._retired] + ([self._current] if self._current else [])
        return any(file.is_behind for file in files)

    def blocks(self) -> Iterator[bytes]:
        """Whole lines written since the last call, each ended by a newline, the ones of renamed files first."""
        yield from self._blocks_of_retired()
        before = self._current
        if before is not None:
            yield from before.blocks()
        self._switch()
        if self._current is not None and self._current is not before:
            yield from self._current.blocks()

    def close(self) -> None:
        for file, _ in self._retired:
            file.close()
        self._retired.clear()
        if self._current is not None:
            self._current.close()
            self._current = None

    def _blocks_of_retired(self) -> Iterator[bytes]:
        for file, _ in self._retired:
            yield from file.blocks()
        while self._retired and (len(self._retired) >= MAX_RETIRED or self._retired[0][1] <= self._clock()):
            file, _ = self._retired.popleft()
            yield from file.unfinished_line()
            file.close()

    def _switch(self) -> None:
        """Open the file that the path names now; keep the open one while the path names none."""
        try:
            found = self._path.stat()
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                self._skip_existing = False  # what appears from now on is new from its first line
            self._tell(error)
            return
        if self._current is not None:
            if self._current.identity == (found.st_dev, found.st_ino):
                return
            self._retired.append((self._current, self._clock() + RETIRED_FOR))
            self._current = None
        try:
            self._current = _File(self._path, at_end=self._skip_existing)
        except OSError as error:
            self._tell(error)
        else:
            self._skip_existing = False
            self._trouble = ""

    def _tell(self, error: OSError) -> None:
        """Log a trouble once, not at every poll."""
        trouble = error.strerror or str(error)
        if trouble != self._trouble:
            log.warning("access log cannot be read", path=str(self._path), error=trouble)
        self._trouble = trouble


class _File:
    """One open file, and how far it was read."""

    def __init__(self, path: Path, *, at_end: bool) -> None:
        # Without O_NONBLOCK, opening a named pipe would wait for its writer.
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = _regular_file(self._fd)
            self.identity = (found.st_dev, found.st_ino)
            self._position = self._start_of_last_line(found.st_size) if at_end else 0
            self._unfinished = b""
            self.is_behind = False
        except OSError:
            self.close()
            raise

    def blocks(self) -> Iterator[bytes]:
        read = 0
        self.is_behind = False
        while read < MAX_POLL:
            data = os.pread(self._fd, CHUNK, self._position)
            if data:
                read += len(data)
                self._position += len(data)
                yield from self._whole_lines(data)
            elif os.fstat(self._fd).st_size < self._position:
                self._position = 0
                self._unfinished = b""
            else:
                return
        self.is_behind = True

    def unfinished_line(self) -> Iterator[bytes]:
        """The rest of a file that will not grow any more and does not end with a newline."""
        if self._unfinished:
            yield self._unfinished + b"\n"
            self._unfinished = b""

    def close(self) -> None:
        os.close(self._fd)

    def _whole_lines(self, data: bytes) -> Iterator[bytes]:
        end = data.rfind(b"\n") + 1
        if not end:
            self._unfinished = (self._unfinished + data)[:MAX_LINE]
            return
        block = self._unfinished + data[:end]
        self._unfinished = data[end:]
        first = block.index(b"\n")
        yield block if first <= MAX_LINE else block[:MAX_LINE] + block[first:]

    def _start_of_last_line(self, size: int) -> int:
        """Behind the last newline, so that a line that is being written now is read whole."""
        begin = max(0, size - MAX_LINE)
        return begin + os.pread(self._fd, size - begin, begin).rfind(b"\n") + 1


def _regular_file(fd: int) -> os.stat_result:
    """What the kernel says of the open file; raises OSError for a pipe, a directory and the like."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise OSError("not a regular file")
    return found
