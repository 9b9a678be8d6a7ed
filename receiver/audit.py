"""The audit trail: one JSON line a decision or action, chained to the one before, on disk before anything is done."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from receiver import __version__
from receiver.audit_chain import (
    TORN,
    TORN_DIGEST,
    Head,
    chained,
    end_of,
    follow,
    head_of,
    is_signed,
    last_line,
    last_line_of,
)
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.audit_segments import is_at
from receiver.errors import AuditError
from receiver.redact import redact

AGENT = "rollback-agent"


class AuditTrail:
    """Appends to the active segment; safe for several threads and processes at once. `clock` gives Unix seconds."""

    def __init__(self, files: TrailFiles, clock: Callable[[], float]) -> None:
        self.files = files
        self._clock = clock

    def record(
        self,
        decision: str,
        reasoning: str,
        *,
        actor: str = AGENT,
        deployment: str | None = None,
        run: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Write one record and sync it to disk; raises AuditError where that fails: then nothing may be done."""
        try:
            self._append(self._body(decision, reasoning, actor, deployment, run, facts))
        except OSError as error:
            raise AuditError(f"{self.files.active}: the audit trail cannot be written: {error.strerror}") from error
        except ValueError as error:
            raise AuditError(f"{self.files.active}: the record cannot be written as JSON: {error}") from error

    def head(self) -> Head:
        """The last record; raises AuditError where it cannot be read, or is not ours."""
        try:
            last = last_line(self.files)
        except OSError as error:
            raise AuditError(f"{self.files.active}: the audit trail cannot be read: {error.strerror}") from error
        self._require_signed(last, AuditKey(self.files.key))
        return head_of(last)

    def _require_signed(self, last: bytes, key: AuditKey) -> None:
        if last and not is_signed(last, key):
            raise AuditError(
                f"{self.files.active}: its last record is not signed with the key in {self.files.key}; "
                "bring back the key or the trail, or move the trail away, and the next record begins a new one"
            )

    def _body(
        self,
        decision: str,
        reasoning: str,
        actor: str = AGENT,
        deployment: str | None = None,
        run: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> bytes:
        """A record without what chains it, which is known only under the lock."""
        entry = {
            "timestamp": datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds"),
            "decision": decision,
            "reasoning": reasoning,
            "agent_version": __version__,
            "metrics_used": dict(facts or {}),
            "actor": actor,
            "deployment": deployment,
            "run": run,
        }
        return json.dumps(redact(entry), ensure_ascii=True, allow_nan=False).encode()

    def _append(self, body: bytes) -> None:
        while not self._try_append(body):
            pass  # the active segment was full, or closed meanwhile; its name is another file's now

    def _try_append(self, body: bytes) -> bool:
        """Append to the segment that has the active one's name now; whether that could take it."""
        file = os.open(self.files.active, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not is_at(file, self.files.active):
                return False
            end = self._end(file)
            if end.size >= self.files.segment_bytes and end.is_whole:
                self._close(end.head)
                return False
            self._write_whole(file, end.size, self._lines(end, body))
        finally:
            os.close(file)
        return True

    def _end(self, file: int) -> _End:
        """Where the chain goes on; raises AuditError where its last record is not ours."""
        key, size = AuditKey(self.files.key), os.fstat(file).st_size
        last, torn = end_of(file, size)
        newline = b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""  # or it would be glued to the next
        closed = [] if last else self.files.closed()
        if closed:
            last = last_line_of(closed[-1])
        if not size:
            if not closed:
                key.make()
            _sync_directory(self.files.active.parent)  # the file's name is on disk before a record is
        self._require_signed(last, key)
        return _End(key, size, head_of(last), torn, newline)

    def _close(self, head: Head) -> None:
        """Give the full segment its own name; the next record begins a new one, whoever writes it."""
        closed = self.files.closed_with(head.records)
        if closed.exists():
            raise AuditError(f"{self.files.active}: is full, and {closed} is there already; move that away")
        self.files.active.rename(closed)
        _sync_directory(closed.parent)

    @staticmethod
    def _write_whole(file: int, size: int, lines: bytes) -> None:
        try:
            _write(file, lines)
        except OSError:
            with suppress(OSError):  # half a record, or one of what was not done then, is none
                os.ftruncate(file, size)
                os.fsync(file)
            raise

    def _lines(self, end: _End, body: bytes) -> bytes:
        """What is to be appended: the record, and before it what a machine that lost power makes necessary."""
        if not end.torn:
            return end.newline + chained(end.head, body, end.key)
        reason = "what stands before this was not written whole; the chain goes on from the last record"
        digest = hashlib.sha256(end.torn + end.newline).hexdigest()
        tells = chained(end.head, self._body(TORN, reason, facts={TORN_DIGEST: digest}), end.key)
        return end.newline + tells + chained(follow(end.head, tells), body, end.key)


@dataclass(frozen=True, slots=True)
class _End:
    """How the active segment ends: its last record, what is torn after it, and the newline that is missing."""

    key: AuditKey
    size: int
    head: Head
    torn: bytes
    newline: bytes

    @property
    def is_whole(self) -> bool:
        return not self.torn and not self.newline


def _write(file: int, lines: bytes) -> None:
    if os.write(file, lines) != len(lines):
        raise OSError(0, "only part of the record was written")
    os.fsync(file)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
