"""`scripts`: puts the reference scripts of the `script` target where an operator makes them their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.errors import NotPossible

SHIPPED = Path(__file__).parents[1] / "scripts"
SETTINGS = "settings.sh"


@click.command(epilog=example("rollback-agent scripts /srv/qrl/rollback/scripts"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def scripts(directory: Path) -> None:
    """Copy the reference scripts to DIRECTORY, for the target `script`; a file that is there is never overwritten.

    Then fill in settings.sh, which comes with them: which deployment it is, and how it is restarted and checked.
    """
    files = sorted(SHIPPED.glob("*.sh"))
    there = [file.name for file in files if (directory / file.name).exists()]
    if there:
        raise NotPossible(f"{directory} has {', '.join(there)} already; nothing was copied")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file in files:
            copied = Path(shutil.copyfile(file, directory / file.name))
            copied.chmod(0o644 if file.name == SETTINGS else 0o755)  # whatever the installed package has
    except OSError as error:
        raise NotPossible(f"{directory}: the scripts cannot be copied: {error.strerror}") from error
    click.echo(f"{directory}: {', '.join(file.name for file in files)}; now fill in {SETTINGS}")
