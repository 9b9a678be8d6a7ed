"""Where tests keep an audit trail, and what they read of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from receiver.audit import AuditTrail
from receiver.audit_files import TrailFiles


def trail_files(directory: Path) -> TrailFiles:
    """A trail in `directory`, and its key beside it."""
    return TrailFiles(directory / "audit-trail.jsonl", directory / "audit.key")


def records(trail: AuditTrail) -> list[dict[str, Any]]:
    """The records of a trail; each line must be one."""
    content = trail.files.active.read_text(encoding="ascii")
    assert content.endswith("\n")
    return [json.loads(line) for line in content.split("\n")[:-1]]


def digest(line: bytes) -> str:
    """SHA-256 of a line."""
    return hashlib.sha256(line).hexdigest()
