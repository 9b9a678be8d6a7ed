"""`gate`: a pipeline asks whether it may deploy a release; the exit code is the answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    config_option,
    deployment_argument,
    json_option,
    open_journal,
)
from receiver.commands.release import release_argument
from receiver.commands.terminal import safe
from receiver.errors import NotFound, no_deployment
from receiver.gate import obstacles


@click.command(epilog=example("rollback-agent gate qrl 20261102-1200 --commit 3f2c9aa && ./deploy"))
@deployment_argument
@release_argument
@click.option("--commit", help="What it was built from: a held release is refused under another id, too.")
@json_option
@config_option
def gate(deployment: str, release_id: str, commit: str | None, as_json: bool, config_path: Path) -> None:
    """May RELEASE be deployed to DEPLOYMENT? Ends with 0 where it may, and with 1 where it may not."""
    config, database = open_journal(config_path)
    if deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    with database.read() as tx:
        found = obstacles(tx, deployment, release_id, commit)
    if as_json:
        click.echo(json.dumps({"deployment": deployment, "release": release_id, "open": not found, "reasons": found}))
    for reason in () if as_json else found:
        click.echo(f"{safe(release_id)} may not be deployed: {safe(reason)}")
    if found:
        sys.exit(1)
    if not as_json:
        click.echo(f"{safe(release_id)} may be deployed to {deployment}.")
