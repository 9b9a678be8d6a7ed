"""Answered escalations that belong to no incident, such as an unknown alert: they go when they are old."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import escalations
from receiver.retention.rows import remove_with_incidents
from receiver.retention.store import Store


def questions(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those that were answered longer ago than `retention.incidents.age`; their ids."""
    return remove_with_incidents(store, escalations, dry_run=dry_run)
