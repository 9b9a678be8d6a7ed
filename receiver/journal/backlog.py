"""What waits in the journal for somebody to take it up."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from receiver.journal import runs, tables


@dataclass(frozen=True, slots=True)
class Backlog:
    """Delays are those of what has been due longest, in seconds; 0 where nothing is due."""

    notifications_due: int
    notifications_delay: float
    runs_leased: int
    """Runs that a worker has a lease on at this moment."""
    runs_delay: float


def backlog(tx: sa.Connection, now: float) -> Backlog:
    """The backlog at `now`: notifications to be looked at, and runs that are due while nobody has a lease on them."""
    inbox, run = tables.notification, tables.run
    due, oldest = tx.execute(
        sa.select(sa.func.count(), sa.func.min(inbox.c.next_look_at)).where(inbox.c.next_look_at <= now)
    ).one()
    leased = sa.select(sa.func.count()).select_from(run).where(run.c.state != runs.FINISHED, run.c.lease_until > now)
    # A lease that ended by itself is due since then; one that was given back (0) since the run is due.
    since = sa.case((run.c.lease_until > run.c.wake_at, run.c.lease_until), else_=run.c.wake_at)
    waiting = sa.select(sa.func.min(since)).where(run.c.state != runs.FINISHED, since <= now)
    longest = tx.execute(waiting).scalar()
    return Backlog(
        notifications_due=due,
        notifications_delay=0.0 if oldest is None else now - oldest,
        runs_leased=tx.execute(leased).scalar_one(),
        runs_delay=0.0 if longest is None else now - longest,
    )
