"""The benches are found by name, compare like with like, and say clearly which of two is better."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.access_log import MTAIL_PROGRAMS, requests_by_label
from bench.log_files import DURATIONS_IN, FORMATS, write_log
from bench.measure import Column, compare, rows
from exporters.log_formats import WITH_DURATION, Format, reader_of
from exporters.traffic import BUCKETS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("log_format", sorted(FORMATS))
def test_written_log_is_read_in_full(log_format: str, tmp_path: Path) -> None:
    """Each line of a written log is of its format, tells user and response time, and hardly one is like another."""
    path = tmp_path / "access.log"
    write_log(log_format, 2_000, path)
    lines = path.read_bytes().splitlines(keepends=True)
    field = "user" if log_format == "gunicorn" else "remote_user"
    batch = reader_of(Format(log_format), field).read(b"".join(lines))
    assert (batch.requests.total(), batch.unparsable_lines) == (2_000, 0)
    assert len(batch.users) > 1_500
    assert len(batch.seconds) == (2_000 if log_format in DURATIONS_IN else 0)
    assert len(set(lines)) > 1_990


def test_mtail_counts_the_same_series() -> None:
    """There is a program for each format that we time, with our histogram's bounds where the format has durations."""
    bounds = "buckets " + ", ".join(map(str, BUCKETS))
    for log_format in FORMATS:
        program = (MTAIL_PROGRAMS / f"{log_format}.mtail").read_text()
        assert "counter access_log_requests_total by deployment, service, method, code\n" in program
        assert (bounds in program) == (Format(log_format) in WITH_DURATION) == (log_format in DURATIONS_IN)


def test_counts_of_both_programs_are_compared_by_label() -> None:
    """Labels may come in any order and counts in any notation; what is 0 is as if it were not there."""
    ours = 'access_log_requests_total{code="200",deployment="q",method="GET",service="s"} 1000000.0\n'
    theirs = 'access_log_requests_total{deployment="q",service="s",method="GET",code="200"} 1e+06\n'
    zero = 'access_log_requests_total{code="500",deployment="q",method="GET",service="s"} 0.0\n'
    assert requests_by_label(ours + zero) == requests_by_label(theirs) == {("GET", "200"): 1e6}


def test_ratio_says_how_many_times_as_good() -> None:
    """More lines a second and fewer microseconds a probe both give a ratio above 1; the median decides."""
    columns = (Column("speed", ".0f"), Column("cost", ".0f", more_is_better=False))
    figures = iter([(30, 5), (31, 6), (900, 1)])
    text = rows("log", columns, *compare(lambda: next(figures), lambda: (10, 12), 3))
    assert text == "| log | speed | 31 | 10 | 3.1 |\n| log | cost | 5 | 12 | 2.4 |"


def test_unknown_bench_is_told() -> None:
    """A name that is no bench ends with 2 and the names that are."""
    found = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 2
    assert "there is no bench nonsense; there are accept, access_log, decisions, health" in found.stderr
    assert found.stdout == ""
