"""Forgets the notifications with which nothing is left to do, once they are old."""

from __future__ import annotations

from receiver.journal import notifications
from receiver.journal.database import Database
from receiver.log import get_log

AT_ONCE = 1000
"""Notifications of one transaction: who waits to store one does not wait for all the old ones to go."""


def forget_old(database: Database, kept_for: float) -> int:
    """Remove what came more than `kept_for` seconds ago and was worked off; returns how many, raises JournalError.

    What is counted stays counted. Replicas that do it at once remove each one once.
    """
    forgotten = 0
    while True:
        with database.write() as tx:
            removed = notifications.forget(tx, database.now(tx) - kept_for, AT_ONCE)
        forgotten += removed
        if removed < AT_ONCE:
            break
    if forgotten:
        get_log().info("forgot old notifications", count=forgotten)
    return forgotten
