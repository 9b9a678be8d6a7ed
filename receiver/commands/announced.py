"""What `status` tells of a deployment's hotfix and of its deploys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from receiver.durations import clock_time
from receiver.journal import hotfixes, releases


def announced(tx: sa.Connection, deployment: str, live: str | None, now: float) -> dict[str, Any]:
    """What was announced and still counts, as plain JSON; `live` is the release whose migration may have failed."""
    hotfix = hotfixes.unresolved(tx, deployment)
    return {
        "hotfix": {**asdict(hotfix), "overdue": hotfix.is_overdue(now)} if hotfix else None,
        "deploys": [asdict(deploy) for deploy in releases.deploys_under_way(tx, deployment, now)],
        "migration_failed": live is not None and releases.has_failed_migration(tx, deployment, live),
    }


def lines(one: dict[str, Any]) -> Iterator[str]:
    """The same for a person: `one` is a deployment as `status` found it."""
    name, hotfix = one["name"], one["hotfix"]
    if hotfix and hotfix["state"] == "failed":
        yield f"The hotfix of {name} was reported failed by {hotfix['ended_by']} at {clock_time(hotfix['ended_at'])}."
    elif hotfix and hotfix["overdue"]:
        yield f"The hotfix of {name} by {hotfix['started_by']} is overdue since {clock_time(hotfix['deadline'])}."
    elif hotfix:
        yield f"A hotfix of {name} by {hotfix['started_by']} is under way until {clock_time(hotfix['deadline'])}."
    for deploy in one["deploys"]:
        yield f"The deploy of {deploy['release']} to {name} is under way since {clock_time(deploy['started_at'])}."
    if one["migration_failed"]:
        yield f"The database migration of {one['live']}, which is live on {name}, was reported failed."
