"""Removes the oldest segments of the audit trail, and leaves a record that says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from receiver.audit_chain import PRUNED, PRUNED_THROUGH, head_of, last_line_of, verify
from receiver.audit_files import TrailFiles
from receiver.errors import AuditError


class Trail(Protocol):
    """The audit trail; raises AuditError where the record is not on disk."""

    files: TrailFiles

    def record(
        self, decision: str, reasoning: str, *, actor: str = ..., facts: Mapping[str, object] | None = ...
    ) -> None:
        """Write one record and sync it."""
        ...


def prunable(files: TrailFiles, before: float, checkpoint: int | None = None) -> list[Path]:
    """The closed segments whose last record is older than `before` (Unix seconds), oldest first; raises AuditError.

    None of which a record after number `checkpoint` is part: what was kept of that one could be checked no more.
    """
    try:
        return _older(files.closed(), before, checkpoint)
    except OSError as error:
        raise AuditError(f"{error.filename}: cannot be read: {error.strerror}") from error


def prune(audit: Trail, before: float, actor: str, comment: str, checkpoint: int | None = None) -> list[Path]:
    """Remove the `prunable` segments; which ones those were.

    The record is on disk before the first of them goes. Raises AuditError; a trail that does not hold keeps everything.
    """
    fault = verify(audit.files)[1]
    if fault is not None:
        raise AuditError(f"{fault}; nothing is removed from a trail that does not hold")
    try:
        old = _older(audit.files.closed(), before, checkpoint)
        if old:
            through = head_of(last_line_of(old[-1]))
            audit.record(PRUNED, comment, actor=actor, facts={PRUNED_THROUGH: str(through)})
        for segment in old:  # the oldest first: whatever stops it, what is left is still one piece
            segment.unlink(missing_ok=True)
    except OSError as error:
        raise AuditError(f"{error.filename}: cannot be removed: {error.strerror}") from error
    return old


def _older(closed: list[Path], before: float, checkpoint: int | None) -> list[Path]:
    """The segments up to the first that is not older, or goes on after the checkpoint."""
    for position, segment in enumerate(closed):
        last = last_line_of(segment)
        written = datetime.fromisoformat(json.loads(last)["timestamp"])
        if written.timestamp() >= before or (checkpoint is not None and head_of(last).records > checkpoint):
            return closed[:position]
    return closed
