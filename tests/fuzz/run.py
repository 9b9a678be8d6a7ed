"""Fuzzes the targets that are named, or all, one after the other: `python -m tests.fuzz.run [TARGET ...]`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from tests.fuzz.targets import CORPUS, TARGETS

ROOT = Path(__file__).parents[2]
REPEATABLE = {"PYTHONHASHSEED": "0"}
"""With this, addresses that stay where they are, and `-reload=0`, the inputs depend on the seed alone."""
ROW = "{:<14}{:>9}{:>9}{:>10}{:>6}{:>5}  {}"
SLOWEST = 20
"""Seconds that one input may take, on a machine that has other things to do."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is fuzzed of each target, and from which seed."""

    runs: int
    seed: int
    minutes: int
    memory: int
    """MiB of one process."""


@click.command()
@click.argument("targets", nargs=-1, type=click.Choice(list(TARGETS)))
@click.option("--runs", default=1_000_000, show_default=True, help="Inputs of each target.")
@click.option("--seed", default=1, show_default=True, help="The same seed and version give the same inputs.")
@click.option("--minutes", default=120, show_default=True, help="A target that takes longer is ended, and fails.")
@click.option("--memory", default=512, show_default=True, help="MiB; a target that takes more fails.")
@click.option("--into", type=click.Path(path_type=Path), default=ROOT / ".fuzz", show_default=True)
def main(targets: tuple[str, ...], runs: int, seed: int, minutes: int, memory: int, into: Path) -> None:
    """Print a line of figures for each target; what broke one lies in --into, and belongs into its corpus."""
    bounds = Bounds(runs, seed, minutes, memory)
    click.echo(ROW.format("target", "inputs", "seconds", "branches", "kept", "MiB", "broke it"))
    broken = [target for target in targets or TARGETS if not fuzz(target, bounds, into / target)]
    sys.exit(1 if broken else 0)


def fuzz(target: str, bounds: Bounds, into: Path) -> bool:
    """Fuzz one target and print its figures; returns whether nothing broke it and it came to its end."""
    shutil.rmtree(into, ignore_errors=True)
    (into / "kept").mkdir(parents=True)
    options = [
        f"-runs={bounds.runs}", f"-seed={bounds.seed}", f"-max_len={TARGETS[target]}", f"-timeout={SLOWEST}",
        f"-max_total_time={60 * bounds.minutes}", f"-rss_limit_mb={bounds.memory}", f"-artifact_prefix={into}/",
        "-print_final_stats=1", "-reload=0", str(into / "kept"), str(CORPUS / target),
    ]  # fmt: skip
    log = into / "output.log"
    with log.open("wb") as output:
        done = subprocess.run(
            ["setarch", "-R", sys.executable, "-m", "tests.fuzz.one_target", target, *options],
            cwd=ROOT, env=os.environ | REPEATABLE, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    told = log.read_text(errors="replace")
    inputs = _last(r"stat::number_of_executed_units: +(\d+)", told)
    figures = [
        inputs, _last(r"Done \d+ runs in (\d+) second", told), _last(r"cov: (\d+)", told), _last(r"corp: (\d+)", told),
        _last(r"stat::peak_rss_mb: +(\d+)", told), ", ".join(_artifacts(into)) or "nothing",
    ]  # fmt: skip
    click.echo(ROW.format(target, *figures))
    if done.returncode:
        click.echo(f"{target} ended with {done.returncode}; see {log}", err=True)
    return done.returncode == 0 and int(inputs) >= bounds.runs


def _last(pattern: str, text: str) -> str:
    return (re.findall(pattern, text) or ["0"])[-1]


def _artifacts(into: Path) -> list[str]:
    return sorted(path.name for path in into.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-", "leak-")))


if __name__ == "__main__":
    main()
