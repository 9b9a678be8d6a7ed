"""Reads what says whether the live release is the cause of a fault."""

from __future__ import annotations

from receiver.attribution import BEFORE, Around
from receiver.errors import PrometheusError
from receiver.journal import releases
from receiver.model import Release, Telemetry
from receiver.phases.looking import BEYOND
from receiver.signals import affected_services
from receiver.tree.branches import State
from receiver.tree.snapshot import Snapshot
from receiver.world import World


def around(world: World, live: Release, telemetry: Telemetry | None, tree: Snapshot | None) -> Around:
    """What is known of the release and its surroundings at this moment."""
    since = live.live_since
    named = (*world.config.guardrails.storm.dependencies, *world.settings.attribution.alerts)
    others: dict[str, float | None] = {}
    ill: tuple[str, ...] | None = () if named else None
    was_ill = unknown = None
    try:
        storm = world.prometheus.storm(named)
        others = dict.fromkeys(sorted(storm.deployments - {world.deployment}))
        if named:
            ill = tuple(sorted(storm.dependencies))
        if since is not None:
            was_ill = _was_ill(world, since)
    except PrometheusError as error:
        unknown = str(error)
    with world.database.read() as tx:
        changed = releases.changed_services(tx, world.deployment, live.id)
        for name in others:
            newest = releases.live(tx, name)
            others[name] = newest.live_since if newest else None
    firing = telemetry.firing if telemetry else ()
    affected = {one.service for one in firing if one.service} | affected_services(
        telemetry.signals if telemetry else ()
    )
    return Around(
        now=world.clock(), live_since=since, began_at=_began_at(tree), was_ill_before=was_ill, changed=changed,
        affected=tuple(sorted(affected)), others=others, ill=ill, unknown=unknown,
    )  # fmt: skip


def _was_ill(world: World, since: float) -> bool | None:
    """Whether a signal was beyond its threshold before; None where nobody measured."""
    past = world.prometheus.history(world.deployment, since - BEFORE, since)
    values = [value for one in past if one.name == BEYOND for at, value in one.points if at < since]
    return any(value != 0 for value in values) if values else None


def _began_at(tree: Snapshot | None) -> float | None:
    """When the condition of the first that fires became true."""
    firing = [one for one in tree.state.branches if one.state is State.FIRING] if tree else []
    began = [alert.active_since for one in firing for alert in one.rule.rule.alerts]
    return min(began, default=None)
