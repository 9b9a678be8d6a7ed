"""Refuses when the backup and the logs may not fit."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def disk_space(facts: Facts) -> Refusal | None:
    """1 GB must be free where backups and logs go (the operations guide; configurable), beside the backup itself."""
    if facts.free_bytes is None:
        return Refusal("disk_space", "the free space cannot be read")
    needed = facts.limits.disk_space.minimum_bytes
    if not facts.backup_due:
        needed += facts.backup_bytes or 0
    if facts.free_bytes < needed:
        beside = "" if facts.backup_due else f", {(facts.backup_bytes or 0) / 1e9:.2f} of them for the backup"
        free = f"{facts.free_bytes / 1e9:.2f} GB are free"
        return Refusal("disk_space", f"{free}, {needed / 1e9:.2f} GB are needed{beside}")
    return None
