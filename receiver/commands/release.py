"""`release`: a pipeline says when it begins and ends to deploy a release."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import Group, example
from receiver.commands.options import (
    config_option,
    deployment_argument,
    open_announcements,
    person_option,
)
from receiver.config_values import valid_name
from receiver.journal.releases import Migration


def _id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return valid_name(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


release_argument = click.argument("release_id", metavar="RELEASE", callback=_id)


@click.group(cls=Group, epilog=example("rollback-agent release start qrl 20261102-1200"))
def release() -> None:
    """Report the start and the end of a deploy; meant for pipelines."""


@release.command(epilog=example("rollback-agent release start qrl 20261102-1200 --commit 3f2c9aa --author ada"))
@deployment_argument
@release_argument
@click.option("--commit", help="What it was built from.")
@click.option("--author", help="Who made the change.")
@click.option("--service", "services", multiple=True, help="A service that it changes; may be given several times.")
@person_option
@config_option
def start(
    deployment: str,
    release_id: str,
    commit: str | None,
    author: str | None,
    services: tuple[str, ...],
    person: str,
    config_path: Path,
) -> None:
    """The deploy of RELEASE to DEPLOYMENT has begun; an earlier try of the same release counts no more."""
    announcements = open_announcements(config_path, deployment)
    announcements.start_release(deployment, release_id, person, commit, author, services or None)
    click.echo(f"Noted as {person}: the deploy of {release_id} to {deployment} has begun.")


@release.command(epilog=example("rollback-agent release finish qrl 20261102-1200 --migration ok"))
@deployment_argument
@release_argument
@click.option(
    "--migration",
    type=click.Choice([one.value for one in Migration]),
    help="What became of its database migration.",
)
@click.option(
    "--irreversible/--reversible",
    default=None,
    help="Whether older releases cannot, or can, work with the migrated database; nothing goes back behind one that "
    "is irreversible.",
)
@person_option
@config_option
def finish(
    deployment: str, release_id: str, migration: str | None, irreversible: bool | None, person: str, config_path: Path
) -> None:
    """The deploy of RELEASE to DEPLOYMENT has ended, its database migration included."""
    said = Migration(migration) if migration else None
    announcements = open_announcements(config_path, deployment)
    announcements.finish_release(deployment, release_id, person, said, irreversible)
    click.echo(f"Noted as {person}: the deploy of {release_id} to {deployment} has ended.")
