"""`doctor`: what would keep a rollback from happening, before it has to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from receiver.commands.options import config_option, json_option, load_usable_config, open_journal, serving_since
from receiver.commands.terminal import plain
from receiver.doctor import examine
from receiver.redact import redact
from receiver.wiring import put_together


@click.command()
@json_option
@config_option
def doctor(as_json: bool, config_path: Path) -> None:
    """Look at everything that a rollback needs, and change nothing. Ends with 1 where anything is wrong."""
    load_usable_config(config_path)
    config, database = open_journal(config_path)
    worlds = put_together(config, database).current().worlds
    found = tuple(examine(worlds, serving_since(config.root)))
    if as_json:
        click.echo(json.dumps(redact([{"subject": one.subject, "wrong": one.wrong} for one in found]), indent=2))
    else:
        for one in found:
            click.echo(f"WRONG  {one.subject}: {plain(one.wrong)}" if one.wrong else f"well   {one.subject}")
    if any(one.wrong for one in found):
        sys.exit(1)
