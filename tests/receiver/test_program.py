"""A program that is run to its end, to its limit, or until nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.processes import wait_until
from receiver.errors import ProgramError
from receiver.program import run_program

RUN = "import sys; from receiver.program import run_program; run_program(('/bin/sh', '-c', sys.argv[1]), 60)"


def lives(pid: int) -> bool:
    """Whether the process is there, and not only waited for by nobody."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def written(file: Path) -> int:
    """The number in a file, once it is there."""
    assert wait_until(lambda: file.exists() and file.read_text().strip().isdigit(), 30)
    return int(file.read_text())


def test_at_its_limit_it_ends_with_all_that_it_started(tmp_path: Path) -> None:
    """And that it did not end is said."""
    with pytest.raises(ProgramError, match=r"did not end within 5 s"):
        run_program(("/bin/sh", "-c", f"sleep 60 & echo $! > {tmp_path / 'child'}; wait"), 5)
    child = written(tmp_path / "child")
    assert wait_until(lambda: not lives(child), 30)


def test_interrupted_it_goes_on_with_nothing(tmp_path: Path) -> None:
    """Ctrl-C reaches who waits for it, and not the program, which has a session of its own."""
    script = f"sleep 60 & echo $! > {tmp_path / 'child'}; wait"
    with subprocess.Popen((sys.executable, "-c", RUN, script), stderr=subprocess.DEVNULL) as waiting:
        child = written(tmp_path / "child")
        os.kill(waiting.pid, signal.SIGINT)
        assert waiting.wait(30) != 0
    assert wait_until(lambda: not lives(child), 30)


def test_it_is_told_nothing_but_where_programs_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment may be a secret."""
    monkeypatch.setenv("A_SECRET", "hunter2")
    run_program(("/usr/bin/env",), 30, write=tmp_path / "said")
    assert {line.partition("=")[0] for line in (tmp_path / "said").read_text().splitlines()} == {"PATH", "LANG"}
