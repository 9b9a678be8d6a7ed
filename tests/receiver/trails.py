"""Where tests keep an audit trail."""

from __future__ import annotations

from pathlib import Path

from receiver.audit_files import TrailFiles


def trail_files(directory: Path) -> TrailFiles:
    """A trail in `directory`, and its key beside it."""
    return TrailFiles(directory / "audit-trail.jsonl", directory / "audit.key")
