"""Refuses when the backup and the logs may not fit."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal


def disk_space(facts: Facts) -> Refusal | None:
    """1 GB must be free where backups and logs go (the operations guide; configurable), beside the backup itself."""
    if facts.free_bytes is None:
        return Refusal("disk_space", "the free space cannot be read")
    backup = 0 if facts.backup_due else facts.backup_bytes or 0
    needed = facts.limits.disk_space.minimum_bytes + backup
    if facts.free_bytes >= needed:
        return None
    beside = f", {_in_gb(backup)} of them for the backup" if backup else ""
    return Refusal("disk_space", f"{_in_gb(facts.free_bytes)} GB are free, {_in_gb(needed)} GB are needed{beside}")


def _in_gb(size: int) -> str:
    return f"{size / 1e9:.2f}"
