"""Options that several commands share."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from receiver.config import Config, load_config
from receiver.errors import JournalError
from receiver.journal.database import Database, open_database

DEFAULT_CONFIG = "rollback/config/rollback-config.json"

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_CONFIG,
    envvar="ROLLBACK_AGENT_CONFIG",
    show_default=True,
    help="The configuration file (YAML or JSON).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
person_option = click.option(
    "--as",
    "person",
    default=getpass.getuser,
    show_default="your login name",
    help="Who decides, for the audit trail.",
)


def open_journal(config_path: Path) -> tuple[Config, Database]:
    """The configuration and the journal of a receiver that has run here; raises JournalError where none has."""
    config = load_config(config_path)
    if not (config.root / "state.db").exists():
        raise JournalError(f"there is no journal at {config.root / 'state.db'}; has `rollback-agent serve` run here?")
    return config, open_database(config.root)
