"""`autonomy`: an operator says what the agent may do by itself, until that is taken back."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import Group, example
from receiver.commands.options import (
    at_command_line,
    complete_deployment,
    config_option,
    open_operators,
    person_option,
)
from receiver.journal.autonomy import ALL
from receiver.model import Autonomy

comment_option = click.option("--comment", default="", help="A word for the audit trail.")
all_option = click.option("--all", "everywhere", is_flag=True, help="For every deployment.")


@click.group(cls=Group, epilog=example("rollback-agent autonomy set L1 qrl"))
def autonomy() -> None:
    """Say what the agent may do by itself; `status` shows the level in force. It survives a restart."""


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
