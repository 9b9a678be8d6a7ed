"""`status`: how each deployment stands and what waits for a person; the first command of the night."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from receiver.commands.announced import lines
from receiver.commands.groups import example
from receiver.commands.options import config_hint, config_option, json_option, open_journal, serving_since
from receiver.commands.terminal import new_table, print_table, safe
from receiver.durations import clock_time, in_words
from receiver.journal.views import View
from receiver.model import NO_RELEASE, SHORT_HASH
from receiver.standing import live_releases, standing
from receiver.wiring import put_together


@click.command(epilog=example("rollback-agent status --json"))
@json_option
@config_option
def status(as_json: bool, config_path: Path) -> None:
    """Show each deployment: its release, budget, latch, and what waits for a person."""
    config, database = open_journal(config_path)
    since = serving_since(config.root)
    live = live_releases(put_together(config, database).current().worlds)
    with database.read() as tx:
        found = standing(tx, config, live, database.now(tx), since)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found["serving"]:
        click.echo("rollback-agent serve is not running: nothing is watched and nothing is rolled back.\n")
    if found["kill_switch"]:
        click.echo("The kill switch is on: nothing is rolled back.")
    if found["kill_switch_unknown"]:
        why = safe(found["kill_switch_unknown"])
        click.echo(f"It is not known whether the kill switch is on, so nothing is rolled back: {why}.")
    missing = found["watchdog"]["missing_for"]
    if missing is not None:
        click.echo(f"No Watchdog for {in_words(missing)}: nothing is rolled back automatically.")
    table = new_table("deployment", "live release", "good", "autonomy", "budget", "state")
    for one in found["deployments"]:
        good = "yes" if one["live_good"] else "not yet known"
        row = (one["name"], one["live"] or "cannot be read", good, _autonomy(one), one["budget"], _state(one))
        table.add_row(*map(safe, row))
    print_table(table)
    for one in found["deployments"]:
        if one["held"]:
            click.echo(f"\nHeld, neither deployed nor a target, of {one['name']}: {safe(', '.join(one['held']))}")
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
    change = f"{plan['live_release']} -> {plan['target_release'] or NO_RELEASE}"
    click.echo(f"\nA person must confirm: roll {approval['deployment']} back, {safe(change)} ({plan['level']})")
    if approval["need"] > 1:
        by = "".join(f", by {safe(vote['person'])}" for vote in approval["votes"])
        click.echo(f"  {len(approval['votes'])} of {approval['need']} people have approved{by}")
    click.echo(f"  until {clock_time(approval['expires_at'])}, with:")
    click.echo(f"  rollback-agent approve {approval['incident']} --plan {approval['plan_hash'][:SHORT_HASH]}{hint}")


def _autonomy(one: dict[str, Any]) -> str:
    if one["autonomy_set_by"]:
        return f"{one['autonomy']}, set by {one['autonomy_set_by']}"
    above = [
        branch["branch"] for branch in (one["earned_autonomy"] or {"branches": []})["branches"] if branch["has_earned"]
    ]
    return f"{one['autonomy']}, L4 for {', '.join(above)}" if above else str(one["autonomy"])


def _state(one: dict[str, Any]) -> str:
    if one["live_unknown"]:
        return str(one["live_unknown"])
    if one["latched"]:
        return f"latched: {one['latched']}"
    if one["under_way"]:
        return "asks a person" if one["under_way"] == "approve" else f"under way: {one['under_way']}"
    if not one["budget"]:
        return "budget spent"
    if one["cooldown_left"]:
        return f"cooling down for {in_words(one['cooldown_left'])}"
    return "ready"
