"""How everything stands at this moment, as `status` and the page show it: plain dictionaries, times in Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import sqlalchemy as sa

from receiver import earned
from receiver.config import Config
from receiver.errors import TargetError
from receiver.guardrails.watchdog import missing_for
from receiver.journal import autonomy, deployments, hotfixes, releases, runs, seen, views
from receiver.journal.views import View
from receiver.kill_switch import look
from receiver.model import Release
from receiver.redact import redact
from receiver.world import World


def live_releases(worlds: Mapping[str, World]) -> dict[str, Release | TargetError]:
    """What each target itself says at this moment; the journal may be a minute behind."""
    return {name: _live(world) for name, world in worlds.items()}


def standing(
    tx: sa.Connection,
    config: Config,
    live: Mapping[str, Release | TargetError],
    now: float,
    serving_since: float | None,
) -> View:
    """Everything at once; `serving_since` is None where no receiver runs."""
    on, on_unknown = look(config, tx)
    found = {
        "serving": serving_since is not None,
        "kill_switch": on,
        "kill_switch_unknown": on_unknown,
        "watchdog": _watchdog(tx, config, now, serving_since),
        "deployments": [_deployment(tx, config, name, live[name], now) for name in config.deployments],
        "approvals": views.pending_approvals(tx, now),
        "escalations": views.open_escalations(tx),
    }
    return cast(View, redact(found))


def _live(world: World) -> Release | TargetError:
    try:
        return world.target.live()
    except TargetError as error:
        return error


def _watchdog(tx: sa.Connection, config: Config, now: float, since: float | None) -> dict[str, float | None]:
    """When the last one came, and for how long too long none has; where nothing serves, none is expected."""
    last = seen.last(tx, seen.WATCHDOG)
    missing = None if since is None else missing_for(now, last, since, config.guardrails.watchdog.max_age)
    return {"last_seen": last, "missing_for": missing}


def _deployment(tx: sa.Connection, config: Config, name: str, live: Release | TargetError, now: float) -> View:
    limits = config.guardrails
    claims = deployments.claims_within(tx, name, limits.daily_limit.period, now)
    known = releases.known(tx, name)
    remembered = known.get(live.id) if isinstance(live, Release) else None
    latch = deployments.latch_of(tx, name)
    cooldown_end = claims[-1] + limits.cooldown.period if claims else 0.0
    return {
        "name": name,
        "live": live.id if isinstance(live, Release) else None,
        "live_unknown": str(live) if isinstance(live, TargetError) else None,
        "live_good": remembered is not None and remembered.good_at is not None,
        "held": [one.id for one in known.values() if one.held_at],
        **autonomy_of(tx, config, name),
        "budget": max(limits.daily_limit.limit - len(claims), 0),
        "budget_limit": limits.daily_limit.limit,
        "cooldown_left": max(cooldown_end - now, 0.0),
        "latched": latch.reason if latch else None,
        "under_way": runs.phase_under_way(tx, name),
        **_announced(tx, name, live.id if isinstance(live, Release) else None, now),
    }


def autonomy_of(tx: sa.Connection, config: Config, deployment: str) -> dict[str, Any]:
    """The level in force, what the configuration says, which operator has set another, and what branches have earned.

    None where nobody has set any, and where nothing can be earned.
    """
    found, configured = autonomy.set_for(tx, deployment), config.autonomy_of(deployment)
    return {
        "autonomy": (found.level if found else configured).value,
        "autonomy_configured": configured.value,
        "autonomy_set_by": found.set_by if found else None,
        "autonomy_set_at": found.set_at if found else None,
        "earned_autonomy": earned.standing(tx, config, deployment),
    }


def _announced(tx: sa.Connection, deployment: str, live: str | None, now: float) -> dict[str, Any]:
    """What was announced and still counts; `live` is the release whose migration may have failed."""
    hotfix = hotfixes.unresolved(tx, deployment)
    return {
        "hotfix": {**asdict(hotfix), "overdue": hotfix.is_overdue(now)} if hotfix else None,
        "deploys": [asdict(deploy) for deploy in releases.deploys_under_way(tx, deployment, now)],
        "migration_failed": live is not None and releases.has_failed_migration(tx, deployment, live),
    }
