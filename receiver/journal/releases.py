"""Releases as the agent has seen them: live since when, good since when, held by which run."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert
from receiver.model import Release


def seen(tx: sa.Connection, deployment: str, releases: tuple[Release, ...], now: float) -> None:
    """Remember what the target knows; a release's row, once there, is kept, but built anew it must prove good anew."""
    table = tables.release
    for release in releases:
        row = {"deployment": deployment, "id": release.id, "commit": release.commit, "first_seen_at": now}
        statement = insert(tx, table).values(row)
        if release.commit is None:  # not readable at this moment, which says nothing
            tx.execute(statement.on_conflict_do_nothing())
            continue
        built_anew = statement.on_conflict_do_update(
            index_elements=["deployment", "id"],
            set_={"commit": release.commit, "good_at": None},
            where=table.c.commit.is_distinct_from(release.commit),
        )
        tx.execute(built_anew)


def set_live(tx: sa.Connection, deployment: str, release: str, live_since: float) -> None:
    """Remember since when a release is live; being switched to again starts its time anew."""
    _update(tx, deployment, release, live_since=live_since)


def set_good(tx: sa.Connection, deployment: str, release: str, now: float) -> None:
    """The release has been live long enough without a firing branch; the first time counts."""
    table = tables.release
    tx.execute(
        sa.update(table)
        .where(table.c.deployment == deployment, table.c.id == release, table.c.good_at.is_(None))
        .values(good_at=now)
    )


def doubt(tx: sa.Connection, deployment: str, release: str) -> None:
    """A branch asks to roll the live release back: it has to prove good anew before it is a target."""
    _update(tx, deployment, release, good_at=None)


def hold(tx: sa.Connection, deployment: str, release: str, now: float, run: str) -> None:
    """The release was rolled back: it is no target any more until a person releases it."""
    _update(tx, deployment, release, held_at=now, held_by_run=run)


def known(tx: sa.Connection, deployment: str) -> dict[str, Release]:
    """What is remembered of each release of a deployment, by id."""
    table = tables.release
    return {
        row.id: Release(row.id, row.commit, row.live_since, row.good_at, row.held_at)
        for row in tx.execute(sa.select(table).where(table.c.deployment == deployment))
    }


def live(tx: sa.Connection, deployment: str) -> Release | None:
    """The release that went live last, as far as the agent has seen."""
    seen_live = (release for release in known(tx, deployment).values() if release.live_since is not None)
    return max(seen_live, key=lambda release: release.live_since or 0.0, default=None)


def _update(tx: sa.Connection, deployment: str, release: str, **values: object) -> None:
    table = tables.release
    tx.execute(sa.update(table).where(table.c.deployment == deployment, table.c.id == release).values(**values))
