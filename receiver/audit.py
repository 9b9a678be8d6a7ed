"""The audit trail: one JSON line a decision or action, on disk before anything is done."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from receiver import __version__
from receiver.errors import AuditError
from receiver.redact import redact

AGENT = "rollback-agent"


class AuditTrail:
    """Appends to one file; safe for several processes at once."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
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
        entry = {
            "timestamp": datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds"),
            "decision": decision,
            "reasoning": reasoning,
            "agent_version": __version__,
            "metrics_used": redact(dict(facts or {})),
            "actor": actor,
            "deployment": deployment,
            "run": run,
        }
        try:
            self._append(json.dumps(entry, ensure_ascii=True, allow_nan=False, default=str).encode() + b"\n")
        except OSError as error:
            raise AuditError(f"{self.path}: the audit trail cannot be written: {error.strerror}") from error
        except ValueError as error:
            raise AuditError(f"{self.path}: the record cannot be written as JSON: {error}") from error

    def _append(self, line: bytes) -> None:
        is_new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._end_torn_line(file)
            size = os.fstat(file).st_size
            try:
                self._write_whole(file, line)
            except OSError:
                with suppress(OSError):  # half a record, or one of what was not done then, is none
                    os.ftruncate(file, size)
                raise
        finally:
            os.close(file)
        if is_new:
            directory = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(directory)
            os.close(directory)

    @staticmethod
    def _write_whole(file: int, line: bytes) -> None:
        if os.write(file, line) != len(line):
            raise OSError(0, "only part of the record was written")
        os.fsync(file)

    @staticmethod
    def _end_torn_line(file: int) -> None:
        # A machine that lost power may have left half a record; the next one must not be glued to it.
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
