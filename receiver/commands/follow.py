"""What `show --follow` prints: each thing once, as it happens, until nothing is under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status

from receiver.commands.terminal import plain
from receiver.durations import clock_time, in_words
from receiver.journal.views import View
from receiver.model import SHORT_HASH
from receiver.progress import Progress, progress

EVERY = 1.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened; `key` is what it is known by, so that it is printed once."""

    key: tuple[str, ...]
    text: str


def follow(read: Callable[[], View], logs: Path, now: Callable[[], float], hint: str, every: float = EVERY) -> None:
    """Print what happens to the incident that `read` gives, until no run of it is under way."""
    printed: set[tuple[str, ...]] = set()
    console = Console(highlight=False)
    with Status("", console=console) as status:
        while True:
            incident = read()
            for line in _lines(incident, logs, now(), hint):
                if line.key not in printed:
                    printed.add(line.key)
                    click.echo(line.text)
            under_way = _under_way(incident, logs, now())
            if under_way is None:
                return
            elapsed, in_phase = in_words(under_way.elapsed), in_words(under_way.in_phase)
            # Only on a terminal: what is redrawn each second would fill a file.
            status.update(f"{under_way.phase} for {in_phase}, the run for {elapsed}")
            time.sleep(every)


def _under_way(incident: View, logs: Path, now: float) -> Progress | None:
    return progress(incident["runs"][-1], logs, now) if incident["runs"] else None


def _lines(incident: View, logs: Path, now: float, hint: str) -> Iterator[Line]:
    for run in incident["runs"]:
        yield from _steps(run)
        approval = run["approval"]
        if approval and approval["state"] == "pending":
            command = f"rollback-agent approve {incident['id']} --plan {approval['plan_hash'][:SHORT_HASH]}{hint}"
            yield _line(approval["opened_at"], f"a person must confirm: {command}", run["id"], "approval")
        if run["result"] is not None and run["finished_at"] is not None:
            told = f" ({run['report']})" if run["report"] else ""
            ended = f"run {run['id']} ended: {run['result']}: {run['reason']}{told}"
            yield _line(run["finished_at"], ended, run["id"], "ended")
    doing = _under_way(incident, logs, now)
    if doing is not None and doing.says:
        yield _line(now, f"{doing.phase}: {doing.says}", doing.run, doing.phase, doing.says)


def _steps(run: View) -> Iterator[Line]:
    for step in run["steps"]:
        if step["finished_at"] is not None:
            text = f"{step['name']}: {step['summary'] or 'done'}"
            yield _line(step["finished_at"], text, run["id"], step["name"])
    for refusal in run["refusals"]:
        text = f"refused by {refusal['guardrail']}: {refusal['reason']}"
        yield _line(None, text, run["id"], "refusal", refusal["guardrail"])


def _line(at: float | None, text: str, *key: str) -> Line:
    clock = clock_time(at) if at is not None else ""
    return Line(key, f"{clock:20}  {plain(text)}")
