"""What `status` tells a person of a deployment's hotfix and of its deploys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from receiver.durations import clock_time


def lines(one: dict[str, Any]) -> Iterator[str]:
    """One sentence for each thing that was announced: `one` is a deployment as it stands."""
    name, hotfix = one["name"], one["hotfix"]
    if hotfix and hotfix["state"] == "failed":
        yield f"The hotfix of {name} was reported failed by {hotfix['ended_by']} at {clock_time(hotfix['ended_at'])}."
    elif hotfix and hotfix["overdue"]:
        yield f"The hotfix of {name} by {hotfix['started_by']} is overdue since {clock_time(hotfix['deadline'])}."
    elif hotfix:
        yield f"A hotfix of {name} by {hotfix['started_by']} is under way until {clock_time(hotfix['deadline'])}."
    for deploy in one["deploys"]:
        since = clock_time(deploy["started_at"])
        yield f"The deploy of {deploy['release']} to {name} has been under way since {since}."
    if one["migration_failed"]:
        yield f"The database migration of {one['live']}, which is live on {name}, was reported failed."
