"""Follows the audit trail from outside: whether its chain holds, and whether it is still the one that was there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from receiver.audit_chain import Chain, Head
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.audit_segments import Inode, Segment, segments
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
        self._chain = Chain(AuditKey(files.key))
        self._positions: dict[Inode, int] = {}
        """How much was read of each file, in the order of the trail."""
        self._read_all_at: float | None = None
        self._lost: str | None = None
        self.state: AuditState | None = None

    def look(self) -> None:
        """Read on, and judge."""
        unreadable: str | None = None
        before = self._chain, self._positions
        try:
            self._open_and_read()
        except FileNotFoundError:  # a segment was pruned between its listing and its reading; the next look sees that
            (self._chain, self._positions), self._read_all_at = before, None
            return
        except OSError as error:  # such as a link in its place: what cannot be read is not known to hold
            unreadable = f"it cannot be read: {error.strerror}"
        except AuditError as error:  # without its key nobody can tell
            unreadable = str(error)
        fault = self._chain.fault
        why = self._lost or unreadable or (str(fault) if fault else None)
        if why is not None and (self.state is None or self.state.intact):
            get_log().critical("the audit trail does not hold", reason=why)
        self.state = AuditState(self._chain.head, why is None)

    def _open_and_read(self) -> None:
        with segments(self._files) as found:
            self._compare(found)
            now = self._monotonic()
            if self._read_all_at is None or now - self._read_all_at >= READ_ALL_EVERY:
                self._read_all_at = now
                self._read_again(found)
            self._read_on(found, {segment.inode: segment.size for segment in found})

    def _compare(self, found: list[Segment]) -> None:
        """Whether the files that were read are there, in their order, and hold as much; else begin with the first.

        The oldest may be gone, where a record says so: that is seen by reading all again.
        """
        sizes = {segment.inode: segment.size for segment in found}
        kept = {inode: position for inode, position in self._positions.items() if inode in sizes}
        gone = len(self._positions) - len(kept)
        lost: str | None = None
        if self._positions and not kept:
            lost = "it is gone, or was replaced by another file"
        elif list(self._positions)[gone:] != list(sizes)[: len(kept)]:
            lost = "a file of it is gone, or was replaced by another one"
        elif any(sizes[inode] < position for inode, position in kept.items()):
            lost = "it is shorter than it was"
        elif gone:
            self._positions, self._read_all_at = kept, None
        if lost:
            self._lost = self._lost or lost
            self._start_over()

    def _read_again(self, found: list[Segment]) -> None:
        """Read once more what was read, which must lead to the same record."""
        known, until = self._chain.head, self._positions
        self._start_over()
        self._read_on(found, until)
        if self._chain.fault is None and self._chain.head != known:
            self._lost = self._lost or "its records are not those that it had"

    def _read_on(self, found: list[Segment], until: Mapping[Inode, int]) -> None:
        """Take up the lines that have not been read, of each file to the byte that `until` says."""
        for segment in found:
            begin = self._positions.get(segment.inode, 0)
            self._chain.enter(segment.path, resumed=begin > 0)
            for line in segment.lines(begin, until.get(segment.inode, 0)):
                self._chain.add(line)
                begin += len(line)
                self._positions[segment.inode] = begin

    def _start_over(self) -> None:
        self._chain, self._positions = Chain(AuditKey(self._files.key)), {}
