"""`backup`: what backups there are, whether they are what was written, and one more by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from receiver.backup import stored
from receiver.backup.sources import configured
from receiver.backup_by_hand import back_up_by_hand
from receiver.commands.groups import Group, example
from receiver.commands.options import (
    config_hint,
    config_option,
    deployment_argument,
    json_option,
    open_journal,
    person_option,
    read_config,
)
from receiver.commands.terminal import new_table, plain, print_table, safe
from receiver.errors import BackupError, NotFound, no_deployment
from receiver.redact import redact
from receiver.wiring import put_together


@click.group(cls=Group, epilog=example("rollback-agent backup list"))
def backup() -> None:
    """List, check and make backups; `rollback-agent restore` puts one back."""


@backup.command("list", epilog=example("rollback-agent backup list --json"))
@json_option
@config_option
def list_backups(as_json: bool, config_path: Path) -> None:
    """List the backups, the newest first."""
    found = stored.all_in(read_config(config_path).backups)
    if as_json:
        click.echo(json.dumps({"backups": [_as_json(one) for one in found]}, indent=2))
        return
    if not found:
        click.echo("There is no backup.")
        return
    columns = ("backup", "deployment", "by", "live then", "size", "state")
    table = new_table(*columns, whole=("backup", "deployment", "size"))  # the name has the time
    for one in found:
        about = one.contents.about if one.contents else None
        known = (about.deployment, about.made_by, about.live_release or "unknown") if about else ("", "", "")
        size = "" if one.bytes is None else _size(one.bytes)
        table.add_row(*map(safe, (one.id, *known, size, one.fault or "complete")))
    print_table(table)
    click.echo(
        f"\nComplete says that its manifest is there. Read one back with: rollback-agent backup verify ID"
        f"{config_hint(config_path)}"
    )


@backup.command(epilog=example("rollback-agent backup verify"))
@click.argument("backup_id", metavar="[ID]", required=False)
@json_option
@config_option
def verify(backup_id: str | None, as_json: bool, config_path: Path) -> None:
    """Read the backup ID, or all, and compare every file with the manifest; 1 where one is not what was written."""
    directory = read_config(config_path).backups
    asked = (stored.find(directory, backup_id),) if backup_id else stored.all_in(directory)
    answers = [(one.id, *_verified(one)) for one in asked]
    if as_json:
        verified = [{"id": id_, "intact": fault is None, "told": told or fault} for id_, told, fault in answers]
        click.echo(json.dumps(redact({"backups": verified}), indent=2))
    else:
        for id_, told, fault in answers:
            click.echo(f"{id_}: {plain(told or fault)}")
    bad = [id_ for id_, _, fault in answers if fault is not None]
    if bad:
        raise BackupError(f"{len(bad)} of {len(answers)} backups cannot be used: {', '.join(bad)}")


@backup.command("make", epilog=example("rollback-agent backup make qrl"))
@deployment_argument
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def make_one(deployment: str, comment: str, person: str, config_path: Path) -> None:
    """Keep what a rollback of DEPLOYMENT would keep, now."""
    config, database = open_journal(config_path)
    world = put_together(config, database).current().worlds.get(deployment)
    if world is None:
        raise NotFound(no_deployment(deployment, config.deployments))
    made = back_up_by_hand(world, configured(world.settings.backup), person, comment or "by hand")
    click.echo(f"{made.directory}: {made.files} files, {made.bytes} bytes, read back.")


def _size(found: int) -> str:
    return f"{found / 1e6:.1f} MB" if found >= 1e6 else f"{found / 1e3:.1f} kB"


def _verified(one: stored.Stored) -> tuple[str | None, str | None]:
    """What to say of a good one, or why it is not."""
    try:
        with one.held():
            found, _ = one.verify()
    except BackupError as error:
        return None, str(error)
    return f"{found.files} files, {found.bytes} bytes, all as they were written", None


def _as_json(one: stored.Stored) -> object:
    about = asdict(one.contents)["about"] if one.contents else {}
    told = {"backup": one.id, "directory": str(one.directory), "bytes": one.bytes, "fault": one.fault}
    parts = [asdict(part) for part in one.contents.parts] if one.contents else []
    return redact({**about, **told, "parts": parts})
