"""Command checks run real commands, and leave none of them behind."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from demo.processes import wait_until
from exporters.command_check import probe_command
from exporters.config import CommandCheck
from exporters.deadline import Deadline
from exporters.outcome import Outcome, Reason


def probe(*argv: str | Path, seconds: float = 5.0, **options: Any) -> Outcome:
    check = CommandCheck(argv=tuple(map(str, argv)), **options)
    return probe_command(check, Deadline.after(seconds))


def shell(script: str, seconds: float = 5.0) -> Outcome:
    return probe("/bin/sh", "-c", script, seconds=seconds)


def gone(pid_file: Path) -> bool:
    """Whether the process of the file has ended; a zombie has."""
    stat = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(("exit_code", "expected"), [(0, 0), (3, 3)])
def test_expected_exit_code_succeeds(exit_code: int, expected: int) -> None:
    """The configured exit code is success, whichever it is."""
    outcome = probe("/bin/sh", "-c", f"exit {exit_code}", expected_exit_code=expected)
    assert outcome == Outcome()


def test_other_exit_code_fails() -> None:
    """Another exit code, and an end by a signal, fail by exit code."""
    assert shell("exit 1").failure is Reason.EXIT_CODE
    assert shell("kill -9 $$").failure is Reason.EXIT_CODE


def test_missing_program_is_an_error() -> None:
    """A program that is not there fails by error, as it says nothing about the service."""
    assert probe("/nonexistent/program").failure is Reason.ERROR


def test_hung_command_is_ended_with_its_children(tmp_path: Path) -> None:
    """A command that ignores TERM, and its child that does too, are gone at the deadline."""
    pids = [tmp_path / "leader", tmp_path / "child"]
    script = f"trap '' TERM; echo $$ > {pids[0]}; sleep 60 & echo $! > {pids[1]}; while :; do wait; done"
    begin = time.monotonic()
    outcome = shell(script, seconds=0.6)
    took = time.monotonic() - begin
    assert outcome.failure is Reason.TIMEOUT
    assert 0.55 < took < 30
    assert wait_until(lambda: all(gone(pid) for pid in pids), timeout=30)


def test_hung_command_may_clean_up(tmp_path: Path) -> None:
    """TERM comes shortly before KILL, so a command that heeds it ends in its own way."""
    outcome = shell(f"trap 'echo bye > {tmp_path}/bye; exit 0' TERM; while :; do sleep 0.02; done", seconds=1)
    assert outcome.failure is Reason.TIMEOUT
    assert (tmp_path / "bye").read_text() == "bye\n"


def test_child_left_behind_is_ended(tmp_path: Path) -> None:
    """A child that a successful command leaves in its group is ended too."""
    pid = tmp_path / "child"
    assert shell(f"sleep 60 & echo $! > {pid}") == Outcome()
    assert wait_until(lambda: gone(pid), timeout=30)


def test_environment_is_built_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the exporter's own environment reaches a command."""
    monkeypatch.setenv("SECRET_TOKEN", "geheim")
    assert probe("/bin/sh", "-c", f"/usr/bin/env > {tmp_path}/env; pwd >> {tmp_path}/env") == Outcome()
    seen = (tmp_path / "env").read_text().splitlines()
    assert {line.partition("=")[0] for line in seen} <= {"PATH", "LANG", "PWD", "OLDPWD", "_", "SHLVL", "/"}
    assert os.environ["SECRET_TOKEN"] not in "".join(seen)


def test_endless_output_is_no_burden() -> None:
    """A command that writes without end is ended at the deadline like any other."""
    assert probe("/usr/bin/yes", seconds=0.4).failure is Reason.TIMEOUT
