"""`audit`: whether the audit trail is the one that was written, and how long it is kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from configfile import parse_duration
from receiver.audit import AuditTrail
from receiver.audit_chain import Head, verify
from receiver.audit_retention import prune
from receiver.commands.groups import Group, example
from receiver.commands.options import config_option, json_option, person_option, read_config
from receiver.errors import AuditError


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Head | None:
    if value is None:
        return None
    head = Head.parse(value)
    if head is None:
        raise click.BadParameter("it is written SEQ:HASH, as `rollback-agent audit verify` prints it")
    return head


@click.group(cls=Group, epilog=example("rollback-agent audit verify"))
def audit() -> None:
    """Check the audit trail, or remove its oldest records."""


@audit.command("verify", epilog=example("rollback-agent audit verify --json"))
@click.option(
    "--checkpoint",
    metavar="SEQ:HASH",
    callback=_head,
    help="A record that was printed here earlier and kept elsewhere: it must still be there.",
)
@json_option
@config_option
def verify_trail(checkpoint: Head | None, as_json: bool, config_path: Path) -> None:
    """Read the whole trail; 1 where a record was changed, dropped, added or swapped, or the checkpoint is not met."""
    files = read_config(config_path).audit_files
    head, fault = verify(files, checkpoint)
    if as_json:
        told = None if fault is None else {"file": str(fault.file), "line": fault.line, "reason": fault.reason}
        document = {"intact": fault is None, "records": head.records, "checkpoint": str(head), "fault": told}
        click.echo(json.dumps(document, indent=2))
    if fault is not None:
        raise AuditError(str(fault))
    if not as_json:
        click.echo(
            f"{files.active}: holds up to record {head.records}: each is signed and follows from the one before."
        )
        if head.records:
            click.echo(f"Keep this elsewhere and give it with --checkpoint, so that a cut is found:\n  {head}")


@audit.command("prune", epilog=example("rollback-agent audit prune --older-than 365d"))
@click.option("--older-than", metavar="DURATION", required=True, help="How long records are kept: 400d.")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def prune_trail(older_than: str, comment: str, person: str, config_path: Path) -> None:
    """Remove full segments whose records are all older, and record that; the rest still verifies."""
    try:
        before = time.time() - parse_duration(older_than)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from error
    files = read_config(config_path).audit_files
    removed = prune(AuditTrail(files, time.time), before, person, comment or f"older than {older_than}")
    for segment in removed:
        click.echo(f"{segment}: removed")
    if not removed:
        click.echo(f"{files.active}: no full segment is older than {older_than}; nothing was removed")
