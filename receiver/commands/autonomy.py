"""`autonomy`: an operator says what the agent may do by itself, until that is taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import click

from receiver.commands.groups import Group, example
from receiver.commands.options import (
    at_command_line,
    complete_deployment,
    config_option,
    json_option,
    open_journal,
    open_operators,
    person_option,
)
from receiver.commands.terminal import new_table, plain, print_table, safe
from receiver.durations import clock_time
from receiver.errors import NotFound, no_deployment
from receiver.journal.autonomy import ALL
from receiver.journal.views import View
from receiver.model import Autonomy
from receiver.redact import redact
from receiver.standing import autonomy_of

comment_option = click.option("--comment", default="", help="A word for the audit trail.")
all_option = click.option("--all", "everywhere", is_flag=True, help="For every deployment.")


@click.group(cls=Group, epilog=example("rollback-agent autonomy set L1 qrl"))
def autonomy() -> None:
    """Say what the agent may do by itself, or see why it may; what is set survives a restart."""


@autonomy.command(epilog=example("rollback-agent autonomy show qrl"))
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@json_option
@config_option
def show(deployment: str | None, as_json: bool, config_path: Path) -> None:
    """Show the level of DEPLOYMENT, or of each, and what its branches have earned."""
    config, database = open_journal(config_path)
    if deployment is not None and deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    names = config.deployments if deployment is None else (deployment,)
    with database.read() as tx:
        found = {name: cast(View, redact(autonomy_of(tx, config, name))) for name in names}
    if as_json:
        click.echo(json.dumps({"deployments": found}, indent=2, allow_nan=False))
        return
    for name, one in found.items():
        _show(name, one)


def _show(name: str, found: View) -> None:
    setter = f"set by {found['autonomy_set_by']}" if found["autonomy_set_by"] else "as configured"
    click.echo(f"{plain(name)}: {found['autonomy']}, {plain(setter)}")
    earned = found["earned_autonomy"]
    if earned is None:
        click.echo("  No branch may earn L4 here.")
    elif not earned["branches"]:
        click.echo("  No branch has a reviewed rollback yet.")
    else:
        table = new_table("branch", "level", "how far it is", "counts from", "last change", whole=("branch", "level"))
        for one in earned["branches"]:
            level = "L3, has earned L4" if one["has_earned"] and one["level"] == "L3" else one["level"]
            since = clock_time(one["counts_from"]) if one["counts_from"] else "the first"
            table.add_row(*map(safe, (one["branch"], level, one["progress"], since, one["reason"] or "none")))
        print_table(table)


@autonomy.command("set", epilog=example("rollback-agent autonomy set L1 qrl --comment 'load test until noon'"))
@click.argument("level", type=click.Choice([level.value for level in Autonomy]))
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@all_option
@comment_option
@person_option
@config_option
def set_(level: str, deployment: str | None, everywhere: bool, comment: str, person: str, config_path: Path) -> None:
    """Set the LEVEL of DEPLOYMENT, or of --all, which also replaces what was set for single ones.

    L1 reads, decides, records and reports. L2 also runs the health checks and collects a diagnosis. L3 also rolls
    back, after a person has confirmed the plan. L4 also rolls back without asking, where it is sure.
    """
    scope = _scope(deployment, everywhere)
    open_operators(config_path).set_autonomy(scope, Autonomy(level), at_command_line(person), comment)
    click.echo(f"Set as {person}: {_named(scope)} at {level}, from the next step on.")


@autonomy.command(epilog=example("rollback-agent autonomy reset --all"))
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@all_option
@comment_option
@person_option
@config_option
def reset(deployment: str | None, everywhere: bool, comment: str, person: str, config_path: Path) -> None:
    """Take back what was set for DEPLOYMENT by itself, or everything with --all; the configuration counts again."""
    scope = _scope(deployment, everywhere)
    open_operators(config_path).reset_autonomy(scope, at_command_line(person), comment)
    click.echo(f"Taken back as {person}: what was set for {_named(scope)}.")


def _scope(deployment: str | None, everywhere: bool) -> str:
    if everywhere == (deployment is not None):
        raise click.UsageError("name a deployment, or give --all")
    return deployment if deployment is not None else ALL


def _named(scope: str) -> str:
    return "every deployment" if scope == ALL else scope
