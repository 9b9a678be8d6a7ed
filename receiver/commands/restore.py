"""`restore`: a person has a backup put back; with --dry-run only what would be done is printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from receiver.backup import stored
from receiver.backup.restore import RestorePlan, plan
from receiver.commands.groups import example
from receiver.commands.options import config_hint, config_option, json_option, open_journal, person_option
from receiver.commands.terminal import plain
from receiver.durations import clock_time
from receiver.errors import BackupError, NotFound, NotPossible
from receiver.redact import redact
from receiver.restoring import restore as put_back
from receiver.wiring import put_together
from receiver.world import World


@click.command(epilog=example("rollback-agent restore state-20261102-120000-5c2e73c0 --dry-run"))
@click.argument("backup_id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Read the backup back and print what would be done; change nothing.")
@click.option("--confirm", metavar="ID", help="The backup's ID once more, instead of typing it when asked.")
@click.option("--only", multiple=True, metavar="KIND:NAME", help="Only this part, such as postgresql:orders.")
@click.option("--without-backup", is_flag=True, help="Do not keep what is there now, as where it is lost or spoilt.")
@json_option
@person_option
@config_option
def restore(
    backup_id: str,
    dry_run: bool,
    confirm: str | None,
    only: tuple[str, ...],
    without_backup: bool,
    as_json: bool,
    person: str,
    config_path: Path,
) -> None:
    """Put the backup ID back; never done by the agent itself. Stop what writes there first."""
    if as_json and not dry_run:
        raise click.UsageError("--json prints what --dry-run finds")
    config, database = open_journal(config_path)
    found = stored.find(config.backups, backup_id)
    if found.contents is None:
        raise BackupError(str(found.fault))
    deployment = found.contents.about.deployment
    world = put_together(config, database).current().worlds.get(deployment)
    if world is None:
        raise NotFound(f"{backup_id} is of {deployment}, which is no longer in {config_path}")
    with found.held():  # or it might go while a person reads what would be done
        planned = plan(found, world.settings.backup, only, world.clock())
        if as_json:
            click.echo(json.dumps(redact(_as_json(planned)), indent=2))
            return
        _show(planned, world, keep_present=not without_backup)
        if dry_run:
            click.echo("\nDry run: nothing was changed.")
            return
        _require_confirmed(backup_id, confirm)
        put_back(world, planned, person, not without_backup, lambda line: click.echo(plain(line)))
        click.echo(f"Restored as {person}. Start what you stopped, look that all is well, then lift the latch:")
        click.echo(f"  rollback-agent clear {deployment}{config_hint(config_path)}")


def _require_confirmed(backup_id: str, confirm: str | None) -> None:
    typed = click.prompt("\nType the backup's ID to put it back") if confirm is None else confirm
    if typed.strip() != backup_id:
        raise NotPossible(f"{typed!r} is not {backup_id}; nothing was done")


def _show(planned: RestorePlan, world: World, keep_present: bool) -> None:
    about = planned.about
    live, commit = about.live_release or "unknown", about.live_commit or "unknown"
    click.echo(f"backup      {planned.id}, read back and whole")
    click.echo(f"of          {about.deployment}, made {clock_time(about.made_at)} by {plain(about.made_by)}")
    click.echo(f"live then   {plain(live)} (commit {plain(commit)})")
    click.echo(f"first       {'' if keep_present else 'do NOT '}keep what is there now, as a backup of its own")
    click.echo(f"            latch {world.deployment}, so that nothing is rolled back meanwhile")
    for part in planned.parts:
        click.echo(f"{part.part.kind:<12}{plain(part.part.name)}")
        for step in part.steps:
            click.echo(f"            {plain(step)}")
    for notice in planned.notices:
        click.echo(f"note        {plain(notice)}")


def _as_json(planned: RestorePlan) -> object:
    parts = [{"kind": one.part.kind, "name": one.part.name, "steps": one.steps} for one in planned.parts]
    return {"backup": planned.id, "about": asdict(planned.about), "parts": parts, "notices": planned.notices}
