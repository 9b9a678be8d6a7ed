"""Measures what a process costs, and sets two programs side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_TICKS = os.sysconf("SC_CLK_TCK")

Measure = Callable[[], Sequence[float]]
"""Runs a program once; returns its figures."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a comparison: how it is written, and whether more of it is better."""

    name: str
    format: str
    more_is_better: bool = True


def cpu_seconds(pid: int) -> float:
    """Processor time of the process so far, all of its threads, in user and in kernel mode."""
    # The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def compare(ours: Measure, theirs: Measure, repetitions: int) -> tuple[list[float], list[float]]:
    """The medians of both, measured in turns, so that what else the machine does meets both alike."""
    runs = [(ours(), theirs()) for _ in range(repetitions)]
    return (
        [median(figures) for figures in zip(*(our for our, _ in runs), strict=True)],
        [median(figures) for figures in zip(*(their for _, their in runs), strict=True)],
    )


def heading(subject: str, theirs: str) -> str:
    """The head of a table for the document, one column for each figure and program."""
    names = [subject, "figure", "rollback-agent", theirs, "ratio"]
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|"


def rows(subject: str, columns: Sequence[Column], ours: Sequence[float], theirs: Sequence[float]) -> str:
    """A row for each figure; the ratio says how many times as good ours is."""
    lines = []
    for column, our, their in zip(columns, ours, theirs, strict=True):
        ratio = our / their if column.more_is_better else their / our
        values = [format(value, column.format) for value in (our, their)]
        lines.append(f"| {subject} | {column.name} | {values[0]} | {values[1]} | {ratio:.2g} |")
    return "\n".join(lines)
