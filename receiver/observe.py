"""Looks at each deployment's releases from time to time: which is live, and which has proved good."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa

from receiver.errors import PrometheusError, TargetError
from receiver.journal import releases
from receiver.log import get_log
from receiver.model import Release
from receiver.world import World


class AlertHistory(Protocol):
    """Prometheus, as the observer sees it; raises PrometheusError."""

    def quiet_for(self, deployment: str, seconds: float) -> bool:
        """Whether all through the last `seconds` the deployment was measured and no branch was pending or firing."""
        ...


def observe(world: World, history: AlertHistory) -> None:
    """Remember the known releases and the live one; it is good once it was live for `good_after` in quiet."""
    try:
        live, known = world.target.live(), world.target.known()
    except TargetError as error:
        get_log().warning("the releases cannot be read", deployment=world.deployment, error=str(error))
        return
    with world.database.write() as tx:
        remembered, since = remember(tx, world, live, known)
    live_for = world.clock() - (since or world.clock())
    if remembered.good_at is not None or remembered.held_at is not None or live_for < world.settings.good_after:
        return
    try:
        quiet = history.quiet_for(world.deployment, world.settings.good_after)
    except PrometheusError:
        return  # not knowing is not good
    if quiet:
        with world.database.write() as tx:
            releases.set_good(tx, world.deployment, live.id, world.database.now(tx))
        get_log().info("the release is known good", deployment=world.deployment, release=live.id)


def remember(tx: sa.Connection, world: World, live: Release, known: tuple[Release, ...]) -> tuple[Release, float]:
    """Remember what the target tells; the live release as it is remembered, and since when it is live (Unix seconds).

    The moment is 0 where nobody knows it.
    """
    now = world.database.now(tx)
    before = releases.known(tx, world.deployment).get(live.id)
    releases.seen(tx, world.deployment, (*known, live), now)
    remembered = releases.known(tx, world.deployment)[live.id]
    since = max(live.live_since or 0.0, remembered.live_since or 0.0)
    if before is not None and before.commit not in (None, remembered.commit):
        since = now  # built anew in its place: what is live now is another release
    if since > (remembered.live_since or 0.0):
        releases.set_live(tx, world.deployment, live.id, since)
    return remembered, since
