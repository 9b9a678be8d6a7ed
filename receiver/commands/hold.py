"""`hold` and `release-hold`: a release is neither deployed nor a target, until somebody lets it go."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    at_command_line,
    config_option,
    deployment_argument,
    open_operators,
    person_option,
)
from receiver.commands.release import release_argument

comment_option = click.option("--comment", default="", help="A word for the audit trail.")


@click.command(epilog=example("rollback-agent hold qrl 20261102-1200 --comment 'loses carts'"))
@deployment_argument
@release_argument
@comment_option
@person_option
@config_option
def hold(deployment: str, release_id: str, comment: str, person: str, config_path: Path) -> None:
    """Hold RELEASE: the gate refuses it, and nothing is rolled back to it."""
    open_operators(config_path).hold(deployment, release_id, at_command_line(person), comment)
    click.echo(f"Held as {person}: {release_id} of {deployment} is neither deployed nor a target.")


@click.command("release-hold", epilog=example("rollback-agent release-hold qrl 20261102-1200"))
@deployment_argument
@release_argument
@comment_option
@person_option
@config_option
def release_hold(deployment: str, release_id: str, comment: str, person: str, config_path: Path) -> None:
    """Let RELEASE go that is held: it may be deployed again, and is a target once it has proved good anew."""
    open_operators(config_path).release_hold(deployment, release_id, at_command_line(person), comment)
    click.echo(f"Let go as {person}: {release_id} of {deployment} may be deployed again.")
