"""`status`, `incidents` and `show`: what the journal knows, for people and, with --json, for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from receiver.commands.options import config_option, json_option, open_journal
from receiver.config import Config
from receiver.durations import clock_time, in_words
from receiver.errors import RollbackAgentError
from receiver.journal import deployments, releases, views
from receiver.journal.views import View
from receiver.model import SHORT_HASH


@click.command()
@json_option
@config_option
def status(as_json: bool, config_path: Path) -> None:
    """Show each deployment: its release, budget, latch, and what waits for a person."""
    config, database = open_journal(config_path)
    with database.read() as tx:
        now = database.now(tx)
        found: dict[str, Any] = {
            "kill_switch": config.kill_switch.exists(),
            "deployments": [_deployment(tx, config, name, now) for name in config.deployments],
            "escalations": views.open_escalations(tx),
        }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if found["kill_switch"]:
        click.echo("The kill switch is on: nothing is rolled back.")
    table = _table("deployment", "live release", "good", "autonomy", "budget", "state")
    for one in found["deployments"]:
        good = "yes" if one["live_good"] else "not yet known"
        table.add_row(
            *map(
                _safe,
                (one["name"], one["live"] or "unknown", good, one["autonomy"], one["budget"], _state(one)),
            )
        )
    _print(table)
    for escalation in found["escalations"]:
        click.echo(f"\nA human is needed: {_safe(escalation['summary'])} ({escalation['reason']})")
        click.echo(f"  answer with: rollback-agent answer {escalation['id']} --done (or --retry)")


@click.command()
@json_option
@config_option
def incidents(as_json: bool, config_path: Path) -> None:
    """List the newest incidents with their runs."""
    _, database = open_journal(config_path)
    with database.read() as tx:
        found = views.incidents(tx)
    if as_json:
        click.echo(json.dumps({"incidents": found}, indent=2))
        return
    table = _table("incident", "deployment", "opened", "state", "run", "branch", "result")
    for incident in found:
        for run in incident["runs"] or [{}]:
            branch = (run.get("decision") or {}).get("branch", "")
            result = run.get("result") or run.get("phase", "")
            row = (
                incident["id"],
                incident["deployment"],
                clock_time(incident["opened_at"]),
                incident["state"],
            )
            table.add_row(*map(_safe, (*row, run.get("id", ""), branch, result)))
    _print(table)


@click.command()
@click.argument("incident")
@json_option
@config_option
def show(incident: str, as_json: bool, config_path: Path) -> None:
    """Show one incident: what was decided, what was done, and what it waits for."""
    _, database = open_journal(config_path)
    with database.read() as tx:
        found = views.incident(tx, incident)
    if found is None:
        raise RollbackAgentError(f"there is no incident {incident}; `rollback-agent incidents` lists them")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(
        f"Incident {found['id']} of {found['deployment']}: {found['state']} since {clock_time(found['opened_at'])}"
    )
    for run in found["runs"]:
        _show_run(found["id"], run)
    for escalation in found["escalations"]:
        answer = (
            f"answered by {escalation['answered_by']}: {escalation['answer']}" if escalation["answered_at"] else "open"
        )
        click.echo(
            f"\nEscalation {escalation['id']} ({escalation['reason']}), {_safe(answer)}: {_safe(escalation['summary'])}"
        )


def _show_run(incident: str, run: View) -> None:
    click.echo(
        f"\nRun {run['id']}: {run['result'] or run['phase']}" + (f": {_safe(run['reason'])}" if run["reason"] else "")
    )
    plan = run["plan"]
    if plan:
        click.echo(
            f"  plan {plan['hash'][:SHORT_HASH]}: {plan['level']}, {plan['live_release']} -> {plan['target_release']}"
        )
    table = _table("phase", "began", "took", "outcome")
    for step in run["steps"]:
        took = f"{step['finished_at'] - step['started_at']:.2f} s" if step["finished_at"] else ""
        table.add_row(
            *map(_safe, (step["name"], clock_time(step["started_at"]), took, step["summary"] or step["state"]))
        )
    _print(table)
    for refusal in run["refusals"]:
        retry = f", ask again from {clock_time(refusal['retry_at'])}" if refusal["retry_at"] else ""
        click.echo(f"  refused by {refusal['guardrail']}: {_safe(refusal['reason'])}{retry}")
    approval = run["approval"]
    if approval and approval["state"] == "pending":
        click.echo(f"  waits for a person until {clock_time(approval['expires_at'])}; confirm with:")
        click.echo(f"    rollback-agent approve {incident} --plan {approval['plan_hash'][:SHORT_HASH]}")
    if run["report"]:
        click.echo(f"  report: {run['report']}")


def _deployment(tx: sa.Connection, config: Config, name: str, now: float) -> dict[str, Any]:
    limits = config.guardrails
    claims = deployments.claims_since(tx, name, now - limits.daily_limit.period)
    known = releases.known(tx, name).values()
    live = max((one for one in known if one.live_since), key=lambda one: one.live_since or 0, default=None)
    latch = deployments.latch_of(tx, name)
    cooldown_end = claims[-1] + limits.cooldown.period if claims else 0.0
    return {
        "name": name,
        "live": live.id if live else None,
        "live_good": bool(live and live.good_at),
        "held": [one.id for one in known if one.held_at],
        "autonomy": config.autonomy_of(name).value,
        "budget": max(limits.daily_limit.limit - len(claims), 0),
        "cooldown_left": max(cooldown_end - now, 0.0),
        "latched": latch.reason if latch else None,
    }


def _state(one: dict[str, Any]) -> str:
    if one["latched"]:
        return f"latched: {one['latched']}"
    if one["cooldown_left"]:
        return f"cooling down for {in_words(one['cooldown_left'])}"
    return "ready"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console(highlight=False)
    # Programs that read a pipe get whole lines, whatever width a terminal would have.
    console.width = console.width if console.is_terminal else 1000
    console.print(table)


def _safe(text: object) -> str:
    """What a terminal shows as it stands: no escape sequence, no line end, no markup."""
    plain = "".join(char if char.isprintable() else "?" for char in str(text))
    return Text(plain).markup
