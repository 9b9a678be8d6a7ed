"""The audit trail: one JSON line a decision or action, chained to the one before, on disk before anything is done."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from receiver import __version__
from receiver.audit_chain import TORN, TORN_DIGEST, chained, end_of, follow, head_of, is_signed
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.errors import AuditError
from receiver.redact import redact

AGENT = "rollback-agent"


class AuditTrail:
    """Appends to one file; safe for several threads and processes at once. `clock` gives Unix seconds."""

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
        file = os.open(self.files.active, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            lines = self._lines(file, size, body)
            try:
                self._write_whole(file, lines)
            except OSError:
                with suppress(OSError):  # half a record, or one of what was not done then, is none
                    os.ftruncate(file, size)
                    os.fsync(file)
                raise
        finally:
            os.close(file)
        if not size:
            directory = os.open(self.files.active.parent, os.O_RDONLY)
            os.fsync(directory)
            os.close(directory)

    @staticmethod
    def _write_whole(file: int, line: bytes) -> None:
        if os.write(file, line) != len(line):
            raise OSError(0, "only part of the record was written")
        os.fsync(file)

    def _lines(self, file: int, size: int, body: bytes) -> bytes:
        """What is to be appended: the record, and before it what a machine that lost power makes necessary."""
        key = AuditKey(self.files.key)
        if not size:
            key.make()
        last, torn = end_of(file, size)
        if last and not is_signed(last, key):
            raise AuditError(
                f"{self.files.active}: its last record is not signed with the key in {self.files.key}; "
                "bring back the key or the trail, or move the trail away, and the next record begins a new one"
            )
        head = head_of(last)
        newline = b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""  # or it would be glued to the next
        if not torn:
            return newline + chained(head, body, key)
        reason = "what stands before this was not written whole; the chain goes on from the last record"
        digest = hashlib.sha256(torn + newline).hexdigest()
        tells = chained(head, self._body(TORN, reason, facts={TORN_DIGEST: digest}), key)
        return newline + tells + chained(follow(head, tells), body, key)
