"""Answered escalations that belong to no incident, such as an unknown alert: they go when they are old."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import escalations
from receiver.retention.store import Store

AT_ONCE = 1000


def questions(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those that were answered longer ago than `retention.incidents.age`; their ids."""
    with store.database.read() as tx:
        before = store.database.now(tx) - store.config.retention.incidents.age
        if dry_run:
            yield from escalations.forgettable(tx, before)
            return
    while True:
        with store.database.write() as tx:
            removed = escalations.forget(tx, before, AT_ONCE)
        yield from removed
        if len(removed) < AT_ONCE:
            return
