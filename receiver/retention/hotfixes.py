"""Hotfixes that have ended: they go when they are old."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import hotfixes as rows
from receiver.retention.store import Store

AT_ONCE = 1000


def hotfixes(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those that ended longer ago than `retention.incidents.age`; their ids."""
    with store.database.read() as tx:
        before = store.database.now(tx) - store.config.retention.incidents.age
        if dry_run:
            yield from rows.forgettable(tx, before)
            return
    while True:
        with store.database.write() as tx:
            removed = rows.forget(tx, before, AT_ONCE)
        yield from removed
        if len(removed) < AT_ONCE:
            return
