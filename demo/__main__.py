"""The command line of the demonstration: run, up, down, ship."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console

from demo import background
from demo.agent import ApproveError
from demo.background import NotRunningError
from demo.places import REPOSITORY, Places, PortError, Ports
from demo.processes import NotReadyError
from demo.releases import Fault
from demo.scenario import AUTONOMY, Scenario
from demo.stack import Stack
from demo.verdict import Verdict
from demo.view import View

LAST = REPOSITORY / ".demo" / "last"
_FAULTS = click.Choice([str(fault) for fault in Fault])


@click.group()
def cli() -> None:
    """Ship bad releases of a sample deployment, and watch them being rolled back.

    Exit codes: 0 all went well, 1 a rollback failed, 2 it could not be started, 130 and 143 interrupted.
    """


@cli.command()
@click.argument("scenarios", nargs=-1, type=_FAULTS)
def run(scenarios: Sequence[str]) -> None:
    """Play SCENARIOS (default: all) on one stack, and stop everything again."""
    # Not a terminal: lines are for a file or another program, which breaks them as it likes.
    view = View(Console() if sys.stdout.isatty() else Console(width=160))
    ports = Ports.from_environment(os.environ)
    ports.check_free()
    shutil.rmtree(LAST, ignore_errors=True)
    verdicts = []
    with Stack(Places(LAST), ports) as stack:
        view.say("starting the sample deployment, the exporter, Alertmanager and Prometheus")
        good = stack.start()
        for fault in [Fault(name) for name in scenarios] or list(Fault):
            root = LAST / fault / "rollback"
            view.say(f"starting the receiver at autonomy {AUTONOMY[fault]}; it has to learn that {good.id} is good")
            agent = stack.start_receiver(root, AUTONOMY[fault])
            stack.await_calm(agent, good)
            verdict = Scenario(stack, agent, good, fault, root).play(view)
            stack.stop_receiver()
            view.print(verdict)
            verdicts.append(verdict)
            if not verdict.good:
                break
        view.say("stopping everything")
    _end(verdicts)


def _end(verdicts: Sequence[Verdict]) -> None:
    if not all(verdict.good for verdict in verdicts):
        click.echo(f"The logs of all programs are below {LAST}.", err=True)
        sys.exit(1)


@cli.command()
@click.option("--autonomy", type=click.Choice(["L1", "L2", "L3", "L4"]), default="L3", show_default=True)
def up(autonomy: str) -> None:
    """Start everything and leave it running."""
    ports = Ports.from_environment(os.environ)
    ports.check_free()
    click.echo("Starting; this takes about half a minute ...")
    background.start(ports, autonomy)
    click.echo(background.describe())


@cli.command()
def down() -> None:
    """Stop what `up` started."""
    click.echo("Stopped." if background.stop() else "Nothing was running.")


@cli.command()
@click.argument("fault", type=_FAULTS)
def ship(fault: str) -> None:
    """Ship a bad release to what `up` started."""
    release = background.deployment().ship(Fault(fault))
    click.echo(f"{release.id} is live.")


@cli.command(hidden=True)
@click.argument("autonomy")
def hold(autonomy: str) -> None:
    """Be the program that `up` leaves running."""
    background.hold(Ports.from_environment(os.environ), autonomy)


def _interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    # Only once: nothing may disturb the cleaning up that this begins.
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> None:
    """Run the command line; what keeps it from starting is one sentence and exit code 2."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        cli(prog_name="python -m demo")
    except (PortError, NotReadyError, NotRunningError, ApproveError) as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
