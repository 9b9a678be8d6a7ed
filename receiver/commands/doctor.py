"""`doctor`: what would keep a rollback from happening, before it has to."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    config_option,
    journal_of,
    json_option,
    load_knowing_secrets,
    load_usable_config,
    serving_since,
)
from receiver.commands.terminal import plain
from receiver.doctor.checked import Checked
from receiver.doctor.examine import examine
from receiver.redact import redact
from receiver.wiring import monitoring, put_together


@click.command(epilog=example("rollback-agent doctor --config /etc/rollback-agent/agent.yml"))
@json_option
@config_option
def doctor(as_json: bool, config_path: Path) -> None:
    """Look at everything that a rollback needs, and change nothing. Ends with 1 where anything is wrong.

    Whatever is wrong comes with what to do about it. What cannot be known for another fault is said to be so.
    """
    load_usable_config(config_path)
    config = load_knowing_secrets(config_path)
    database = journal_of(config)  # whether it can be asked is one of the things that are looked at
    worlds = put_together(config, database).current().worlds
    found = examine(worlds, serving_since(config.root), monitoring(config), config_path)
    if as_json:
        looked = tuple(found)
        click.echo(json.dumps(redact([asdict(one) for one in looked]), indent=2))
    else:
        looked = tuple(_told(one) for one in found)
    if any(one.wrong for one in looked):
        sys.exit(1)


def _told(one: Checked) -> Checked:
    """Print it at once: some of what is asked may take its time to answer."""
    if one.wrong is None:
        click.echo(f"well   {one.subject}{f': {plain(one.note)}' if one.note else ''}")
    else:
        click.echo(f"WRONG  {one.subject}: {plain(one.wrong)}")
        click.echo(f"       to do: {plain(one.to_do or '')}")
    return one
