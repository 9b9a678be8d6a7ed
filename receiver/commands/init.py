"""`init`: writes a commented configuration to start from, for a directory that it looks into."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import click
from pydantic import Field, TypeAdapter, ValidationError

from receiver.commands.groups import example
from receiver.commands.options import load_usable_config
from receiver.commands.terminal import plain
from receiver.config.targets import Target
from receiver.config_values import Name, Url
from receiver.errors import NotPossible
from receiver.inspection.found import FittingTarget, Place
from receiver.inspection.look import look, name_of
from receiver.inspection.written import FILL_IN, Start, to_do, written

PathText = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
TOKEN = "webhook.token"  # noqa: S105 - the name of its file


Callback = Callable[[click.Context, click.Parameter, str | None], str | None]


def _is(kind: Any) -> Callback:
    def check(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else str(TypeAdapter(kind).validate_python(value))
        except ValidationError as error:
            raise click.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    return check


@click.command(epilog=example("rollback-agent init /srv/qrl --output agent.yml --root /var/lib/rollback-agent"))
@click.argument("directory", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--output",
    default="rollback-config.yml",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; one that is there is never overwritten.",
)
@click.option("--name", callback=_is(Name), help="The deployment's name, else that of the directory.")
@click.option("--target", type=click.Choice([*Target.model_fields]), help="Which of several targets that fit.")
@click.option(
    "--root",
    callback=_is(PathText),
    default="rollback",
    show_default=True,
    help="Where the agent keeps its journal, logs and backups; from the file's directory.",
)
@click.option(
    "--prometheus", default="http://127.0.0.1:9090", show_default=True, callback=_is(Url), help="Its address."
)
@click.option("--alertmanager", default="http://127.0.0.1:9093", show_default=True, callback=_is(Url), help="The same.")
@click.option(
    "--units",
    default="/etc/systemd/system",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where systemd keeps the units that may run from DIRECTORY.",
)
def init(
    directory: Path,
    output: Path,
    name: str | None,
    target: str | None,
    root: str,
    prometheus: str,
    alertmanager: str,
    units: Path,
) -> None:
    """Look into DIRECTORY and write a commented configuration for it, with a token for Alertmanager.

    It knows releases with a link to the live one, the operations guide's scripts, template units of systemd, a
    compose file, a chart of helm, manifests of Kubernetes, a checkout of git. What it cannot find out is marked
    FILL IN, and refused by `doctor` until a person has put it in.
    """
    kubeconfig = Path("~/.kube/config").expanduser()
    # As they are called, links and all: a directory `current` is another one tomorrow.
    place = Place(*(Path(os.path.abspath(one)) for one in (directory, units, kubeconfig)))  # noqa: PTH100
    output = Path(os.path.abspath(output))  # noqa: PTH100
    try:
        chosen, others = _choose(place, target)
        named = name or name_of(chosen, place)
        text = written(place, chosen, Start(named, root, TOKEN, prometheus, alertmanager))
    except OSError as error:
        raise NotPossible(f"{error.filename}: cannot be read: {error.strerror}") from error
    _write(output, text, 0o644)
    is_new = _make_token(output.with_name(TOKEN))
    load_usable_config(output)
    _tell(place, output, chosen, others, named, is_new)


def _choose(place: Place, target: str | None) -> tuple[FittingTarget, tuple[FittingTarget, ...]]:
    found = look(place)
    chosen = next((one for one in found if target in (None, one.target)), None)
    if chosen is None:
        there = ", ".join(dict.fromkeys(one.target for one in found))
        raise NotPossible(f"{place.directory}: nothing for the target {target} was found there, but for {there}")
    return chosen, tuple(one for one in found if one.target != chosen.target)


def _write(file: Path, text: str, mode: int) -> None:
    """Write a new file; raises NotPossible where it is there, or cannot be written."""
    try:
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        if error.filename != str(file):
            raise NotPossible(f"{file}: cannot be written: {error.filename} is no directory") from error
        raise NotPossible(f"{file} is there already, and nothing was written; name another one with --output") from None
    except OSError as error:
        raise NotPossible(f"{file}: cannot be written: {error.strerror}") from error


def _make_token(file: Path) -> bool:
    """Make a token unless there is one; whether it was made."""
    if file.exists():
        return False
    _write(file, secrets.token_urlsafe(32) + "\n", 0o600)
    return True


def _tell(
    place: Place, output: Path, chosen: FittingTarget, others: tuple[FittingTarget, ...], name: str, token_is_new: bool
) -> None:
    click.echo(plain(f"{place.directory}: target {chosen.target}: {chosen.because}"))
    for other in others:
        click.echo(plain(f"  also possible with --target {other.target}: {other.because}"))
    click.echo(f"wrote {output}")
    token = output.with_name(TOKEN)
    made = "wrote" if token_is_new else "left as it was:"
    click.echo(f"{made} {token}; Alertmanager needs a copy of it as the credentials_file of its webhook")
    for one in to_do(chosen, name):
        click.echo(plain(f"{FILL_IN}  {one}"))
    config = f"--config {quote(str(output))}"
    click.echo(f"Next: rollback-agent check-config {config}")
    click.echo(f"      rollback-agent serve {config}")
    click.echo(f"      rollback-agent doctor {config}    # meanwhile: what would keep a rollback from happening")
