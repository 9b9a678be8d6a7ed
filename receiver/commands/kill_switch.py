"""`kill-switch`: switches automatic rollbacks off and on, with a file that survives everything."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    at_command_line,
    config_option,
    journal_of,
    load_knowing_secrets,
    operators_of,
    person_option,
)


@click.command("kill-switch", epilog=example("rollback-agent kill-switch on --comment 'the data centre moves'"))
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def kill_switch(state: str, comment: str, person: str, config_path: Path) -> None:
    """Forbid (`on`) or allow (`off`) every rollback; asked before each effect."""
    config = load_knowing_secrets(config_path)
    # Stopping needs no journal: this one is named, and not opened.
    with closing(journal_of(config)) as database:
        operators_of(config, database).switch(state == "on", at_command_line(person), comment)
    click.echo(f"The kill switch is {state}: {'nothing is rolled back' if state == 'on' else 'rollbacks are allowed'}.")
