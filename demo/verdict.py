"""Says whether scenarios went well, and shows their figures and where to read on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.places import REPOSITORY
from demo.timeline import Bound


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that has to be so for the demonstration to end with 0, and what was found."""

    name: str
    held: bool
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one scenario showed; a missed bound is told but fails nothing: a busy machine misses it too."""

    title: str
    name: str
    ending: str
    branch: str
    did: str
    fired_after: float | None
    """Seconds from the fault to the first firing branch."""
    ended_after: float | None
    """Seconds from the fault to verified, or to the report where nothing is rolled back."""
    backfilled: bool
    conditions: tuple[Condition, ...]
    bounds: tuple[Bound, ...]
    report: Path | None
    audit_trail: Path

    @property
    def good(self) -> bool:
        """Whether every condition held."""
        return all(condition.held for condition in self.conditions)

    def __rich__(self) -> RenderableType:
        """A table of conditions and bounds, then the files."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        table.add_column(overflow="fold")
        for condition in self.conditions:
            table.add_row(_word(condition.held, "ok", "FAILED"), condition.name, condition.found)
        for bound in self.bounds:
            took = "did not happen" if bound.seconds is None else f"{bound.seconds:.2f} s"
            excuse = "" if bound.held else "; a busy machine can do that, it does not count as failed"
            found = f"{took} (at most {bound.at_most:g} s){excuse}"
            table.add_row(_word(bound.held, "held", "MISSED"), bound.name, found)
        files = Text.assemble(
            ("report       ", "dim"), _from_here(self.report), ("\naudit trail  ", "dim"), _from_here(self.audit_trail)
        )
        headline = Text(f"{self.title}: {self.ending if self.good else 'FAILED'}", "bold")
        return Group(Text(), headline, table, files, Text())


def summary(verdicts: Sequence[Verdict]) -> RenderableType:
    """One line for each scenario."""
    table = Table(
        box=SIMPLE,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    # A name that is cut is none; on a narrow terminal the words beside it take two lines.
    names = [f"{verdict.name}{'*' if verdict.backfilled else ''}" for verdict in verdicts]
    table.add_column("scenario", no_wrap=True, min_width=max(map(len, names)))
    table.add_column("branch seen", no_wrap=True, min_width=max(len(verdict.branch) for verdict in verdicts))
    table.add_column("what the agent did")
    table.add_column("fired", justify="right", no_wrap=True)
    table.add_column("ended", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, verdict in zip(names, verdicts, strict=True):
        table.add_row(
            name,
            verdict.branch,
            verdict.did,
            _seconds(verdict.fired_after),
            _seconds(verdict.ended_after),
            _word(verdict.good, "ok", "FAILED"),
        )
    note = "Seconds are those after the fault. What was rolled back was verified, too."
    if any(verdict.backfilled for verdict in verdicts):
        note += "\n* On backfilled history."
    return Group(Text("all scenarios\n", "bold"), table, Text(f"\n{note}\n", "dim"))


def busy(load: float, cores: int) -> str | None:
    """What to tell who saw it fail, by the mean number of running programs of the last 15 minutes."""
    if load <= 2 * cores:
        return None
    return (
        f"This machine was busy: a load of {load:.0f} on {cores} cores. Checks that take too long fail too, and then "
        "another branch fires than the one that was meant; try again once it is idle."
    )


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s"


def _word(held: bool, good: str, bad: str) -> Text:
    return Text(good, "green") if held else Text(bad, "bold red")


def _from_here(file: Path | None) -> str:
    if file is None:
        return "none"
    return str(file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file)
