"""Removes the oldest segments of the audit trail, and leaves a record that says so."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from receiver.audit import AuditTrail
from receiver.audit_chain import PRUNED, PRUNED_THROUGH, head_of, last_line_of, verify
from receiver.errors import AuditError


def prune(audit: AuditTrail, before: float, actor: str, comment: str) -> list[Path]:
    """Remove each closed segment whose last record is older than `before` (Unix seconds); which ones those were.

    The record is on disk before the first of them goes. Raises AuditError; a trail that does not hold keeps everything.
    """
    fault = verify(audit.files)[1]
    if fault is not None:
        raise AuditError(f"{fault}; nothing is removed from a trail that does not hold")
    try:
        old = _older(audit.files.closed(), before)
        if old:
            through = head_of(last_line_of(old[-1]))
            audit.record(PRUNED, comment, actor=actor, facts={PRUNED_THROUGH: str(through)})
        for segment in old:  # the oldest first: whatever stops it, what is left is still one piece
            segment.unlink(missing_ok=True)
    except OSError as error:
        raise AuditError(f"{error.filename}: cannot be removed: {error.strerror}") from error
    return old


def _older(closed: list[Path], before: float) -> list[Path]:
    """The segments up to the first that is not older."""
    for position, segment in enumerate(closed):
        written = datetime.fromisoformat(json.loads(last_line_of(segment))["timestamp"])
        if written.timestamp() >= before:
            return closed[:position]
    return closed
