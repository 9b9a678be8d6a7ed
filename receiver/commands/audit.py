"""`audit`: whether the audit trail is the one that was written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from receiver.audit_chain import Head, verify
from receiver.commands.options import config_option, json_option
from receiver.config import load_config
from receiver.errors import AuditError

_CHECKPOINT = re.compile(r"([1-9]\d{0,17}):([0-9a-f]{64})")


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Head | None:
    if value is None:
        return None
    found = _CHECKPOINT.fullmatch(value)
    if found is None:
        raise click.BadParameter("it is written SEQ:HASH, as `rollback-agent audit verify` prints it")
    return Head(int(found[1]), found[2])


@click.group()
def audit() -> None:
    """Check the audit trail."""


@audit.command("verify")
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
    files = load_config(config_path).audit_files
    head, fault = verify(files, checkpoint)
    if as_json:
        told = None if fault is None else {"file": str(fault.file), "line": fault.line, "reason": fault.reason}
        document = {"intact": fault is None, "records": head.records, "checkpoint": str(head), "fault": told}
        click.echo(json.dumps(document, indent=2))
    if fault is not None:
        raise AuditError(str(fault))
    if not as_json:
        click.echo(f"{files.active}: {head.records} records, each signed, each follows from the one before.")
        if head.records:
            click.echo(f"Keep this elsewhere and give it with --checkpoint, so that a cut is found:\n  {head}")
