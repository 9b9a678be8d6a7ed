"""Tells how many mutants of each module the tests have killed, and fails where they are too few: `make mutation`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

ENOUGH = 0.9
"""The share of a module's mutants that the tests kill at least."""
KILLED = frozenset({1, 3})
"""Exit codes of pytest: a test failed, or could not go on."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module's mutants, by what the tests said to them."""

    path: str
    killed: int
    alive: tuple[str, ...]
    """Survived, met no test, or ended in no test's failure, such as by running out of time."""

    @property
    def score(self) -> float:
        """The share that was killed."""
        return self.killed / (self.killed + len(self.alive))


def read(results: Path, wanted: Iterable[str]) -> list[Module]:
    """What mutmut wrote of each module that has mutants and is wanted; of all where none is named."""
    of = frozenset(wanted)
    found = []
    for file in sorted(results.glob("receiver/**/*.py.meta")):
        path = str(file.relative_to(results)).removesuffix(".meta")
        codes: dict[str, int | None] = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        alive = tuple(name for name, code in codes.items() if code not in KILLED)
        if codes and (not of or path in of):
            found.append(Module(path, len(codes) - len(alive), alive))
    return found


def main(wanted: list[str]) -> int:
    """Print the table of docs/mutation.md; 1 where a module is below what is wanted, or nothing was found."""
    modules = read(Path("mutants"), wanted)
    click.echo("| module | mutants | killed | score |\n|---|---|---|---|")
    for module in modules:
        mutants = module.killed + len(module.alive)
        click.echo(f"| `{module.path}` | {mutants} | {module.killed} | {module.score:.1%} |")
    killed, alive = sum(module.killed for module in modules), [name for module in modules for name in module.alive]
    click.echo(f"\n{killed} of {killed + len(alive)} killed. See one that was not: .venv/bin/mutmut show NAME")
    click.echo("\n".join(alive))
    return 0 if modules and all(module.score >= ENOUGH for module in modules) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
