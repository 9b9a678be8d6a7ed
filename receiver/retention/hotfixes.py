"""Hotfixes that have ended: they go when they are old."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import hotfixes as rows
from receiver.retention.rows import remove_with_incidents
from receiver.retention.store import Store


def hotfixes(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those that ended longer ago than `retention.incidents.age`; their ids."""
    return remove_with_incidents(store, rows, dry_run=dry_run)
