"""`check-config`: says whether the configuration could be used."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.options import config_option, load_usable_config


@click.command("check-config")
@config_option
def check_config(config_path: Path) -> None:
    """Check the configuration file; every fault is printed with file, line and key."""
    config = load_usable_config(config_path)
    for name in config.deployments:
        click.echo(f"{config_path}: {name}: autonomy {config.autonomy_of(name)}")
    click.echo(f"{config_path}: the configuration is good")
