"""`verify`: is a deployment well, by what a rollback is verified with?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    config_option,
    deployment_argument,
    journal_of,
    json_option,
    load_knowing_secrets,
)
from receiver.commands.terminal import plain
from receiver.config import Config
from receiver.errors import NotFound, no_deployment
from receiver.phases.looking import Look, look
from receiver.phases.verify import LOOK_AGAIN
from receiver.redact import redact
from receiver.wiring import put_together
from receiver.world import World


@click.command(epilog=example("rollback-agent verify qrl --check-only"))
@deployment_argument
@click.option("--check-only", is_flag=True, help="Look once instead of until it is well or the time is up.")
@json_option
@config_option
def verify(deployment: str, check_only: bool, as_json: bool, config_path: Path) -> None:
    """Is DEPLOYMENT well? Ends with 0 where it is, and with 1 where it is not or nobody knows.

    Well means: its live release can be read, every service had enough good checks in a row (verify.samples_in_a_row),
    and no branch that asks for a rollback fires. Without --check-only it waits for that, up to verify.timeout.
    """
    world = world_of(load_knowing_secrets(config_path), deployment)
    found = await_well(world, 0.0 if check_only else world.settings.verify.timeout, _tell)
    if as_json:
        signals = [{"name": one.name, "service": one.service, "value": one.value} for one in found.signals]
        answer = {"deployment": deployment, "well": found.missing is None, "missing": found.missing, "signals": signals}
        click.echo(json.dumps(redact(answer)))
    else:
        click.echo(plain(in_words(deployment, found)))
    if found.missing is not None:
        sys.exit(1)


def world_of(config: Config, deployment: str) -> World:
    """The deployment's surroundings; raises NotFound. Needs no receiver that runs, and writes nothing."""
    if deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    return put_together(config, journal_of(config)).current().worlds[deployment]


def await_well(world: World, patience: float, tell: Callable[[str], None] = lambda _: None) -> Look:
    """Look until all is well, or for `patience` seconds; samples count from max_age before the first look on.

    Each new reason to wait is told once.
    """
    since, deadline = world.clock() - world.config.prometheus.max_age, world.clock() + patience
    told: str | None = None
    while True:
        found = look(world, since, None)
        if found.missing is None or world.clock() >= deadline:
            return found
        if found.missing != told:
            told = found.missing
            tell(told)
        time.sleep(LOOK_AGAIN)


def _tell(missing: str) -> None:
    click.echo(f"waiting: {plain(missing)}", err=True)  # the answer alone goes to standard output


def in_words(deployment: str, found: Look) -> str:
    """The answer in a sentence."""
    if found.missing is not None:
        return f"{deployment} is not known to be well: {found.missing}"
    return f"{deployment} is well: its checks are good and no branch that asks for a rollback fires"
