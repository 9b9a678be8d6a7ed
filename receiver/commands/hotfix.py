"""`hotfix`: a person says that a hotfix is under way, and what became of it."""

from __future__ import annotations

from pathlib import Path

import click

from configfile import parse_duration
from receiver.commands.groups import Group, example
from receiver.commands.options import (
    config_hint,
    config_option,
    deployment_argument,
    open_announcements,
    person_option,
)
from receiver.durations import clock_time
from receiver.journal.hotfixes import HotfixState

comment_option = click.option("--comment", default="", help="A word for the audit trail.")


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(cls=Group, epilog=example("rollback-agent hotfix start qrl --eta 10m"))
def hotfix() -> None:
    """Say that a hotfix is under way, so that branches that leave time for one wait, and what became of it."""


@hotfix.command(epilog=example("rollback-agent hotfix start qrl --eta 10m --comment 'the header is back'"))
@deployment_argument
@click.option("--eta", callback=_seconds, required=True, help="When it will be live, such as 10m; less than 15m.")
@comment_option
@person_option
@config_option
def start(deployment: str, eta: float, comment: str, person: str, config_path: Path) -> None:
    """A hotfix of DEPLOYMENT will be live in --eta."""
    started = open_announcements(config_path, deployment).start_hotfix(deployment, eta, person, comment)
    click.echo(f"Registered as {person}: a hotfix of {deployment} is under way until {clock_time(started.deadline)}.")
    hint = config_hint(config_path)
    click.echo("Past that, or reported failed, a rollback is due if users are still affected. Say what became of it:")
    click.echo(f"  rollback-agent hotfix done {deployment}{hint} (or failed)")


@hotfix.command(epilog=example("rollback-agent hotfix done qrl"))
@deployment_argument
@comment_option
@person_option
@config_option
def done(deployment: str, comment: str, person: str, config_path: Path) -> None:
    """The hotfix of DEPLOYMENT is live and helps."""
    open_announcements(config_path, deployment).end_hotfix(deployment, HotfixState.DONE, person, comment)
    click.echo(f"Noted as {person}: the hotfix of {deployment} is done.")


@hotfix.command(epilog=example("rollback-agent hotfix failed qrl"))
@deployment_argument
@comment_option
@person_option
@config_option
def failed(deployment: str, comment: str, person: str, config_path: Path) -> None:
    """The hotfix of DEPLOYMENT did not help: if users are still affected, a rollback is due."""
    open_announcements(config_path, deployment).end_hotfix(deployment, HotfixState.FAILED, person, comment)
    click.echo(f"Noted as {person}: the hotfix of {deployment} failed; if users are still affected, a rollback is due.")
