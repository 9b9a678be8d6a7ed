"""`prune`: what `serve` removes once an hour, now; with --dry-run only what that would be is printed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from receiver.audit import AuditTrail
from receiver.commands.groups import example
from receiver.commands.options import config_option, json_option, open_journal, person_option
from receiver.commands.terminal import plain
from receiver.errors import RollbackAgentError
from receiver.retention.store import Store
from receiver.retention.sweep import KINDS, count


@click.command(epilog=example("rollback-agent prune --dry-run"))
@click.option("--dry-run", is_flag=True, help="Print exactly what would be removed; change nothing.")
@json_option
@person_option
@config_option
def prune(dry_run: bool, as_json: bool, person: str, config_path: Path) -> None:
    """Remove what is beyond the limits of `retention`, `journal.keep_notifications` and `backup.keep`."""
    if as_json and not dry_run:
        raise click.UsageError("--json prints what --dry-run finds")
    config, database = open_journal(config_path)
    store = Store(config, database, AuditTrail(config.audit_files, time.time), time.time, person)
    found: dict[str, list[str]] = {}
    faults: list[str] = []
    for kind in KINDS:
        name = kind.__name__
        gone = found[name] = []
        try:
            for one in kind(store, dry_run):
                gone.append(one)
                if not as_json:
                    click.echo(f"{name}: {plain(one)}")
            if not dry_run:
                count(store, name, len(gone))
        except (RollbackAgentError, OSError) as error:
            faults.append(f"{name}: {error}")
    if as_json:
        click.echo(json.dumps({"would_be_removed": found, "faults": faults}, indent=2))
    else:
        counts = ", ".join(f"{len(gone)} {name}" for name, gone in found.items() if gone) or "nothing"
        click.echo(f"{counts} would be removed; nothing was changed." if dry_run else f"{counts} removed.")
    if faults:
        raise RollbackAgentError("\n".join(faults))
