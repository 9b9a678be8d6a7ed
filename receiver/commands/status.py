"""`status`: how each deployment stands and what waits for a person; the first command of the night."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from receiver.commands.announced import announced, lines
from receiver.commands.options import config_hint, config_option, json_option, open_journal, serving_since
from receiver.commands.terminal import new_table, print_table, safe
from receiver.config import Config
from receiver.durations import clock_time, in_words
from receiver.errors import TargetError
from receiver.guardrails.watchdog import missing_for
from receiver.journal import deployments, releases, seen, views
from receiver.journal.views import View
from receiver.model import SHORT_HASH, Release
from receiver.wiring import put_together
from receiver.world import Target


@click.command()
@json_option
@config_option
def status(as_json: bool, config_path: Path) -> None:
    """Show each deployment: its release, budget, latch, and what waits for a person."""
    config, database = open_journal(config_path)
    since = serving_since(config.root)
    live = {name: _live(world.target) for name, world in put_together(config, database).current().worlds.items()}
    with database.read() as tx:
        now = database.now(tx)
        found: dict[str, Any] = {
            "serving": since is not None,
            "kill_switch": config.kill_switch.exists(),
            "watchdog": _watchdog(tx, config, now, since),
            "deployments": [_deployment(tx, config, name, live[name], now) for name in config.deployments],
            "approvals": views.pending_approvals(tx, now),
            "escalations": views.open_escalations(tx),
        }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found["serving"]:
        click.echo("rollback-agent serve is not running: nothing is watched and nothing is rolled back.\n")
    if found["kill_switch"]:
        click.echo("The kill switch is on: nothing is rolled back.")
    missing = found["watchdog"]["missing_for"]
    if missing is not None:
        click.echo(f"No Watchdog for {in_words(missing)}: nothing is rolled back automatically.")
    table = new_table("deployment", "live release", "good", "autonomy", "budget", "state")
    for one in found["deployments"]:
        good = "yes" if one["live_good"] else "not yet known"
        row = (one["name"], one["live"] or "cannot be read", good, one["autonomy"], one["budget"], _state(one))
        table.add_row(*map(safe, row))
    print_table(table)
    for one in found["deployments"]:
        if one["held"]:
            click.echo(f"\nHeld, since they were rolled back, of {one['name']}: {safe(', '.join(one['held']))}")
        for line in lines(one):
            click.echo(f"\n{safe(line)}")
    for approval in found["approvals"]:
        _ask_to_confirm(approval, config_hint(config_path))
    hint = config_hint(config_path)
    for escalation in found["escalations"]:
        click.echo(f"\nA human is needed: {safe(escalation['summary'])} ({escalation['reason']})")
        click.echo(f"  answer with: rollback-agent answer {escalation['id']} --done{hint} (or --retry)")


def _ask_to_confirm(approval: View, hint: str) -> None:
    plan = approval["plan"]
    change = f"{plan['live_release']} -> {plan['target_release']}"
    click.echo(f"\nA person must confirm: roll {approval['deployment']} back, {safe(change)} ({plan['level']})")
    click.echo(f"  until {clock_time(approval['expires_at'])}, with:")
    click.echo(f"  rollback-agent approve {approval['incident']} --plan {approval['plan_hash'][:SHORT_HASH]}{hint}")


def _live(target: Target) -> Release | TargetError:
    """What the target itself says at this moment; the journal may be minutes behind."""
    try:
        return target.live()
    except TargetError as error:
        return error


def _watchdog(tx: sa.Connection, config: Config, now: float, since: float | None) -> dict[str, float | None]:
    """When the last one came, and for how long too long none has; where nothing serves, none is expected."""
    last = seen.last(tx, seen.WATCHDOG)
    missing = None if since is None else missing_for(now, last, since, config.guardrails.watchdog.max_age)
    return {"last_seen": last, "missing_for": missing}


def _deployment(
    tx: sa.Connection, config: Config, name: str, live: Release | TargetError, now: float
) -> dict[str, Any]:
    limits = config.guardrails
    claims = deployments.claims_since(tx, name, now - limits.daily_limit.period)
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
        "autonomy": config.autonomy_of(name).value,
        "budget": max(limits.daily_limit.limit - len(claims), 0),
        "cooldown_left": max(cooldown_end - now, 0.0),
        "latched": latch.reason if latch else None,
        **announced(tx, name, live.id if isinstance(live, Release) else None, now),
    }


def _state(one: dict[str, Any]) -> str:
    if one["live_unknown"]:
        return str(one["live_unknown"])
    if one["latched"]:
        return f"latched: {one['latched']}"
    if one["cooldown_left"]:
        return f"cooling down for {in_words(one['cooldown_left'])}"
    return "ready"
