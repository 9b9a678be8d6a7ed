"""Notifications with which nothing is left to do: they go once they are old, or too many."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import notifications as rows
from receiver.journal.database import let_take
from receiver.retention.store import Store

AT_ONCE = 1000
"""Notifications of one transaction: who waits to store one does not wait for all the old ones to go."""
LOOKING = 30.0
"""Seconds that it may take to find how far back they go."""


def notifications(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove them; their ids. What is counted stays counted. Replicas that do it at once remove each one once."""
    limits = store.config.journal
    with store.database.read() as tx, let_take(tx, LOOKING):
        before = store.database.now(tx) - limits.keep_notifications
        before = max(before, rows.came_after(tx, limits.most_notifications) or before)
        if dry_run:
            yield from rows.forgettable(tx, before)
            return
    while True:
        with store.database.write() as tx:
            removed = rows.forget(tx, before, AT_ONCE)
        yield from removed
        if len(removed) < AT_ONCE:
            return
