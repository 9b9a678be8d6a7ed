"""Compares how fast access logs are counted with mtail: the whole processes, from their start to the exposed counts."""

from __future__ import annotations

import re
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.log_files import DURATIONS_IN, FORMATS, write_log
from bench.measure import Column, compare, cpu_seconds, heading, rows
from demo.places import COMMAND
from demo.processes import Process, free_port, wait_until

LINES = 2_000_000
MTAIL_PROGRAMS = Path(__file__).with_name("mtail")
REPETITIONS = 3
PATIENCE = 120.0
"""Seconds for which a program may count."""
POLL = 0.1
"""Seconds between looks at a program's counters."""
COLUMNS = (
    Column("lines a second (wall)", ",.0f"),
    Column("lines a second of processor time", ",.0f"),
)

_SAMPLE = re.compile(r"^access_log_requests_total\{(.*)\} (\S+)$", re.MULTILINE)
_TIMED = re.compile(r"^access_log_request_duration_seconds_count\{.*\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(method|code)="([^"]*)"')

Start = Callable[[str, Path, Path, int], Process]
"""Starts a program that follows a log of this format, in this directory, and exposes on this port."""


def run() -> None:
    """Print a table; raises if the two programs do not count the same."""
    print(heading("log", "mtail"), flush=True)
    for log_format in FORMATS:
        with tempfile.TemporaryDirectory() as directory:
            log = Path(directory) / f"{log_format}.log"
            write_log(log_format, LINES, log)
            counted: list[dict[tuple[str, str], float]] = []
            ours = partial(_count, start_exporter, log_format, log, counted)
            theirs = partial(_count, start_mtail, log_format, log, counted)
            print(rows(log_format, COLUMNS, *compare(ours, theirs, REPETITIONS)), flush=True)
            if any(counts != counted[0] for counts in counted):
                raise RuntimeError(f"the programs do not count the same: {counted[:2]}")


def start_exporter(log_format: str, directory: Path, log: Path, port: int) -> Process:
    """Our exporter, as its users run it."""
    config = directory / "exporter.yaml"
    service = f"{{access_logs: [{{path: {log}, format: {log_format}}}]}}"
    config.write_text(f"listen: 127.0.0.1:{port}\ndeployments: {{qrl: {{services: {{fastapi: {service}}}}}}}\n")
    return Process([COMMAND, "exporter", "--config", config], directory / "exporter.output")


def start_mtail(log_format: str, directory: Path, log: Path, port: int) -> Process:
    """mtail with the program for the format, which makes the same series."""
    options = ["--logtostderr", "--emit_prog_label=false", "--address=127.0.0.1", f"--port={port}"]
    program = MTAIL_PROGRAMS / f"{log_format}.mtail"
    return Process(["mtail", *options, f"--progs={program}", f"--logs={log}"], directory / "mtail.output")


def _count(
    start: Start, log_format: str, log: Path, counted: list[dict[tuple[str, str], float]]
) -> tuple[float, float]:
    """Lines a second, by the wall clock and by processor time; adds what was counted to `counted`."""
    with tempfile.TemporaryDirectory(dir=log.parent) as name:
        directory = Path(name)
        followed, rotated = directory / "access.log", directory / "new.log"
        followed.touch()
        rotated.hardlink_to(log)
        port = free_port()
        begin = time.monotonic()
        with start(log_format, directory, followed, port) as process:
            process.await_ready(f"http://127.0.0.1:{port}/")
            rotated.replace(followed)  # Both begin at the end of a file, and read the one that takes its place whole.
            if not wait_until(lambda: _all_counted(_metrics(port), log_format), PATIENCE, every=POLL):
                raise RuntimeError(f"{process.argv[0]} did not count {LINES} lines:\n{process.tail()}")
            wall, cpu = time.monotonic() - begin, cpu_seconds(process.pid)
            counted.append(requests_by_label(_metrics(port)))
    return LINES / wall, LINES / cpu


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as response:
        text: bytes = response.read()
    return text.decode()


def _all_counted(metrics: str, log_format: str) -> bool:
    timed = sum(float(count) for count in _TIMED.findall(metrics))
    return sum(requests_by_label(metrics).values()) == LINES and (log_format not in DURATIONS_IN or timed == LINES)


def requests_by_label(metrics: str) -> dict[tuple[str, str], float]:
    """How many requests there were of each method and code, without those of which there were none."""
    counts = {}
    for labels, value in _SAMPLE.findall(metrics):
        of = dict(_LABEL.findall(labels))
        if float(value):
            counts[of["method"], of["code"]] = float(value)
    return counts
