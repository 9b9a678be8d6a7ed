"""Notifications with which nothing is left to do: they go once they are old, or too many."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.journal import notifications as rows
from receiver.journal.database import let_take
from receiver.retention.rows import remove_before
from receiver.retention.store import Store

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
    yield from remove_before(store, rows, before)
