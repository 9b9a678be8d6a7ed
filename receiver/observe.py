"""Looks at each deployment's releases from time to time: which is live, and which has proved good."""

from __future__ import annotations

from typing import Protocol

from receiver.errors import PrometheusError, TargetError
from receiver.journal import deployments, releases
from receiver.log import get_log
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
        # Each replica looks, and a run that has just switched writes the same rows in another order.
        deployments.lock(tx, world.deployment)
        remembered, since = releases.remember(tx, world.deployment, live, known, world.database.now(tx))
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
