"""The command line of the demonstration: run, up, down, ship, drill."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console

from demo import background, drills
from demo.agent import CommandError
from demo.background import NotRunningError
from demo.judges import judge
from demo.places import REPOSITORY, Places, PortError, Ports
from demo.play import Play
from demo.processes import NotReadyError
from demo.releases import Release
from demo.scenarios import ALL, NAMES, SHIPPED, Scenario, named
from demo.stack import Stack
from demo.verdict import Verdict, busy, summary
from demo.view import View

LAST, DRILLED = REPOSITORY / ".demo" / "last", REPOSITORY / ".demo" / "drills"


@click.group()
def cli() -> None:
    """Ship bad releases of a sample deployment, and watch them being rolled back.

    Exit codes: 0 all went well, 1 a rollback failed, 2 it could not be started, 130 and 143 interrupted.
    """


@cli.command()
@click.argument("scenarios", nargs=-1, type=click.Choice([*NAMES, ALL]), metavar="[SCENARIO|all]...")
def run(scenarios: Sequence[str]) -> None:
    """Play SCENARIOS (default: broken_start errors_30_percent) one after the other, and stop everything again."""
    # Not a terminal: lines are for a file or another program, which breaks them as it likes.
    view = View(Console() if sys.stdout.isatty() else Console(width=160))
    ports = Ports.from_environment(os.environ)
    ports.check_free()
    shutil.rmtree(LAST, ignore_errors=True)
    verdicts: list[Verdict] = []
    with Stack(Places(LAST), ports) as stack:
        view.say("starting the sample deployment and its users")
        good = stack.start()
        try:
            for scenario in named(scenarios):
                verdicts.append(_play(stack, good, scenario, view))
                view.print(verdicts[-1])
        finally:
            if len(verdicts) > 1:
                view.print(summary(verdicts))
            view.say("stopping everything")
    if not all(verdict.good for verdict in verdicts):
        click.echo(f"The logs of all programs are below {LAST}.", err=True)
        if why := busy(os.getloadavg()[2], os.cpu_count() or 1):
            click.echo(why, err=True)
        sys.exit(1)


def _play(stack: Stack, good: Release, scenario: Scenario, view: View) -> Verdict:
    """One scenario, with all that watches the deployment started afresh."""
    directory = LAST / scenario.name
    view.say(f"starting exporter, Alertmanager, Prometheus and receiver ({scenario.autonomy})")
    agent = stack.watch(directory, scenario.autonomy)
    view.say(f"waiting until {good.id} is known good and nothing fires")
    stack.await_calm(agent, good, scenario.calm_for)
    if scenario.history:
        past = scenario.history
        view.say(f"once it is bad, Prometheus starts anew on a made-up past of {past.told()}: {past.signals}")
    play = Play(stack, agent, good, scenario)
    play.play(view)
    verdict = judge(play, directory)
    stack.stop_watching()
    stack.restore(good)
    return verdict


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
@click.argument("scenario", type=click.Choice(SHIPPED))
def ship(scenario: str) -> None:
    """Ship the bad release of SCENARIO to what `up` started."""
    (wanted,) = named((scenario,))
    deployment = background.deployment()
    release = deployment.releases.make(wanted.fault)
    migrated = deployment.put_live(release)
    click.echo(f"{release.id} is live." if migrated else f"{release.id} is live, although its migration failed.")


@cli.command(name="drill")
@click.argument("names", nargs=-1, type=click.Choice(drills.NAMES), metavar="[DRILL]...")
def drill_(names: Sequence[str]) -> None:
    """Do DRILLS (default: all) with `rollback-agent drill`, one after the other, and stop everything again."""
    view = View(Console() if sys.stdout.isatty() else Console(width=160))
    ports = Ports.from_environment(os.environ)
    ports.check_free()
    shutil.rmtree(DRILLED, ignore_errors=True)
    failed = []
    with Stack(Places(DRILLED), ports) as stack:
        view.say("starting the sample deployment; two releases of it have to be known good")
        good = drills.begin(stack)
        for drill in drills.chosen(names):
            view.say(f"{drill.name}: {drill.wrong}; {drill.branch} has to decide, and it has to be {drill.ends}")
            done = drills.do(stack, good, drill)
            view.say(f"{drill.name}: {'ok' if done.good else 'FAILED'} after {done.took:.0f} s: {done.reason}")
            failed += [] if done.good else [drill.name]
        view.say("stopping everything")
    if failed:
        click.echo(f"Failed: {', '.join(failed)}. The logs of all programs are below {DRILLED}.", err=True)
        sys.exit(1)


@cli.command(name="break", hidden=True)
@click.argument("root", type=click.Path(path_type=Path))
@click.argument("name", type=click.Choice(drills.NAMES))
def break_(root: Path, name: str) -> None:
    """Bring about the fault of a drill, for `rollback-agent drill`."""
    (drill,) = drills.chosen((name,))
    drills.break_(root, drill)


@cli.command(hidden=True)
@click.argument("root", type=click.Path(path_type=Path))
@click.argument("name", type=click.Choice(drills.NAMES))
def mend(root: Path, name: str) -> None:
    """Take the fault of a drill away again, for `rollback-agent drill`."""
    (drill,) = drills.chosen((name,))
    drills.mend(root, drill)


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
    except (PortError, NotReadyError, NotRunningError, CommandError) as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
