"""Releases as the agent has seen them and as pipelines report them: live, good, held, being deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.database import insert
from receiver.model import RecentRelease, Release

LONGEST_DEPLOY = 3600.0
"""Seconds after which a deploy that was never reported as finished is not under way any more: its pipeline has died."""


class Migration(StrEnum):
    """What a pipeline says of a release's database migration."""

    NONE = "none"
    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deploy:
    """What a pipeline has reported of a release; times are Unix seconds, None is what nobody said."""

    release: str
    commit: str | None
    author: str | None
    started_at: float | None
    finished_at: float | None
    migration: Migration | None
    irreversible: bool | None = None
    """Whether its database migration cannot be undone."""


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


def remember(
    tx: sa.Connection, deployment: str, live: Release, others: tuple[Release, ...], now: float
) -> tuple[Release, float]:
    """Remember what the target tells; the live release as it was known, and since when it is live (Unix seconds).

    The moment is 0 where nobody knows it. It writes many rows: the transaction must hold the deployment's lock.
    """
    before = known(tx, deployment).get(live.id)
    seen(tx, deployment, (*others, live), now)
    remembered = known(tx, deployment)[live.id]
    since = max(live.live_since or 0.0, remembered.live_since or 0.0)
    if before is not None and before.commit not in (None, remembered.commit):
        since = now  # built anew in its place: what is live now is another release
    if since > (remembered.live_since or 0.0):
        set_live(tx, deployment, live.id, since)
    return remembered, since


def set_live(tx: sa.Connection, deployment: str, release: str, live_since: float, by_run: str | None = None) -> None:
    """Remember since when a release is live, and by which rollback; being switched to again starts its time anew."""
    _update(tx, deployment, release, live_since=live_since, live_by_run=by_run)


def live_by_run(tx: sa.Connection, deployment: str, live: Release) -> str | None:
    """The run whose rollback made the live release live, or None where a deploy did, if only just now."""
    table = tables.release
    query = sa.select(table).where(table.c.deployment == deployment, table.c.id == live.id)
    row = tx.execute(query).first()
    if row is None or (live.live_since or 0.0) > (row.live_since or 0.0):
        return None
    return cast(str | None, row.live_by_run)


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


def end_hold(tx: sa.Connection, deployment: str, release: str) -> None:
    """A person lets the release be deployed again."""
    _update(tx, deployment, release, held_at=None, held_by_run=None)


def end_hold_of(tx: sa.Connection, deployment: str, release: str, run: str) -> None:
    """The rollback of this run has shown that the release was not to blame; another's hold on it stays."""
    table = tables.release
    mine = (table.c.deployment == deployment, table.c.id == release, table.c.held_by_run == run)
    tx.execute(sa.update(table).where(*mine).values(held_at=None, held_by_run=None))


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


def recent(tx: sa.Connection, deployment: str, count: int) -> tuple[RecentRelease, ...]:
    """The releases that went live last, newest first."""
    table = tables.release
    query = sa.select(table).where(table.c.deployment == deployment, table.c.live_since.is_not(None))
    return tuple(
        RecentRelease(row.id, row.commit or row.reported_commit, row.author, row.live_since, row.migration)
        for row in tx.execute(query.order_by(table.c.live_since.desc()).limit(count))
    )


def deploy_started(
    tx: sa.Connection,
    deployment: str,
    release: str,
    now: float,
    *,
    commit: str | None,
    author: str | None,
    services: tuple[str, ...] | None = None,
) -> Deploy:
    """A pipeline has begun to deploy a release, known to the target or not; what was said of an earlier try is void.

    But not that its migration cannot be undone: it still cannot. The commit is kept apart from the one that the
    target tells: only that one says what the release is.
    """
    values = {
        "reported_commit": commit, "author": author, "deploy_started_at": now, "deploy_finished_at": None,
        "migration": None, "services": None if services is None else json.dumps(sorted(set(services))),
    }  # fmt: skip
    return _report(tx, deployment, release, now, values)


def changed_services(tx: sa.Connection, deployment: str, release: str) -> tuple[str, ...] | None:
    """The services that a release changes, as its pipeline said; None where it did not."""
    table = tables.release
    query = sa.select(table.c.services).where(table.c.deployment == deployment, table.c.id == release)
    found = tx.execute(query).scalar()
    return None if found is None else tuple(json.loads(found))


def deploy_finished(
    tx: sa.Connection,
    deployment: str,
    release: str,
    now: float,
    migration: Migration | None,
    irreversible: bool | None = None,
) -> Deploy:
    """A pipeline is done with a release; one that never told of the start is believed, since a migration may fail."""
    said = {"migration": migration, "irreversible": None if irreversible is None else int(irreversible)}
    values = {"deploy_finished_at": now, **{name: value for name, value in said.items() if value is not None}}
    return _report(tx, deployment, release, now, values)


def deploys_under_way(tx: sa.Connection, deployment: str, now: float) -> tuple[Deploy, ...]:
    """The deploys that have started and not finished, oldest first."""
    table = tables.release
    query = sa.select(table).where(
        table.c.deployment == deployment,
        table.c.deploy_finished_at.is_(None),
        table.c.deploy_started_at > now - LONGEST_DEPLOY,
    )
    return tuple(_deploy(row) for row in tx.execute(query.order_by(table.c.deploy_started_at)))


def irreversible_since(tx: sa.Connection, deployment: str, target: Release | None) -> tuple[str, ...]:
    """The releases deployed, or live, since `target` went live whose migration cannot be undone, oldest first."""
    table = tables.release
    since = target.live_since if target and target.live_since is not None else 0.0
    times = (table.c.live_since, table.c.deploy_started_at, table.c.deploy_finished_at)
    query = sa.select(table.c.id).where(
        table.c.deployment == deployment,
        table.c.id != (target.id if target else ""),
        table.c.irreversible == 1,
        sa.or_(*(time > since for time in times)),
    )
    return tuple(tx.execute(query.order_by(table.c.first_seen_at, table.c.id)).scalars())


def has_failed_migration(tx: sa.Connection, deployment: str, release: str) -> bool:
    """Whether the latest that was reported of the release's migration is that it failed."""
    table = tables.release
    query = sa.select(table.c.migration).where(table.c.deployment == deployment, table.c.id == release)
    return tx.execute(query).scalar() == Migration.FAILED


def _report(tx: sa.Connection, deployment: str, release: str, now: float, values: dict[str, Any]) -> Deploy:
    table = tables.release
    row = {"deployment": deployment, "id": release, "first_seen_at": now, **values}
    statement = insert(tx, table).values(row).on_conflict_do_update(index_elements=["deployment", "id"], set_=values)
    return _deploy(tx.execute(statement.returning(table)).one())


def _deploy(row: Any) -> Deploy:
    return Deploy(
        row.id, row.reported_commit, row.author, row.deploy_started_at, row.deploy_finished_at,
        None if row.migration is None else Migration(row.migration),
        None if row.irreversible is None else bool(row.irreversible),
    )  # fmt: skip


def _update(tx: sa.Connection, deployment: str, release: str, **values: object) -> None:
    table = tables.release
    tx.execute(sa.update(table).where(table.c.deployment == deployment, table.c.id == release).values(**values))
