"""The processes helper leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from demo.processes import NotReadyError, Process, answers, free_port, wait_until

PARENT = """
import sys, time
from pathlib import Path
from demo.processes import Process
child = Process(["sleep", "600"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_stop_ends_the_leader_and_its_children(tmp_path: Path) -> None:
    """Stopping a shell also ends the grandchild that ignores TERM."""
    pidfile = tmp_path / "grandchild"
    script = f"(trap '' TERM; echo $BASHPID > {pidfile}; exec sleep 600) & wait"
    process = Process(["/bin/bash", "-c", script], tmp_path / "log")
    assert wait_until(lambda: pidfile.exists() and bool(pidfile.read_text()), 60)
    grandchild = int(pidfile.read_text())
    assert alive(grandchild)

    process.stop(grace=2)

    assert process.exit_code == -signal.SIGTERM
    assert wait_until(lambda: not alive(grandchild), 60)


def test_stop_ends_the_children_of_a_leader_that_has_ended(tmp_path: Path) -> None:
    """A leader that ended by itself does not shield the child that it left."""
    process = Process(["/bin/bash", "-c", "sleep 600 & echo $!"], tmp_path / "log")
    assert wait_until(lambda: not process.running, 60)
    child = int(process.tail())
    assert alive(child)

    process.stop()

    assert process.exit_code == 0
    assert wait_until(lambda: not alive(child), 60)


def test_a_process_that_ignores_term_is_killed(tmp_path: Path) -> None:
    """A leader that ignores TERM gets KILL after the grace."""
    process = Process(["/bin/bash", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], tmp_path / "log")
    process.await_ready(lambda: "up" in process.tail(), 5)

    process.stop(grace=0.3)

    assert process.exit_code == -signal.SIGKILL


def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    """KILL to the starting program, which cannot clean up, still ends the child."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path.cwd(),
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Until it is the program itself, the signal that its parent's end sends is not asked for yet.
        assert wait_until(lambda: Path(f"/proc/{child}/cmdline").read_bytes() == b"sleep\x00600\x00", 60)
        os.kill(parent.pid, signal.SIGKILL)
    assert wait_until(lambda: not alive(child), 60)


def test_a_server_is_ready_when_it_answers(tmp_path: Path) -> None:
    """A server is awaited by its URL, and no longer answers after the with block."""
    url = f"http://127.0.0.1:{(port := free_port())}/"
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with Process(argv, tmp_path / "log", cwd=tmp_path) as process:
        process.await_ready(url, 15)
        assert answers(url)
    assert not answers(url)


def test_two_processes_are_never_given_the_same_port() -> None:
    """Each draws from a share of its own, so that nobody talks to the server of another."""
    script = "from demo.processes import free_port; print([free_port() for _ in range(20)]); input()"
    command = (sys.executable, "-c", script)
    with ExitStack() as stack:
        others = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        drawn = [json.loads(other.stdout.readline()) for other in others if other.stdout]
        for other in others:
            other.communicate("\n")
    drawn.append([free_port() for _ in range(20)])
    shares = sorted((min(ports), max(ports)) for ports in drawn)
    assert len(shares) == 4
    assert all(last < first for (_, last), (first, _) in pairwise(shares))


def test_a_process_that_ends_early_says_why(tmp_path: Path) -> None:
    """The error carries the exit code and the last output."""
    process = Process(["/bin/sh", "-c", "echo no such thing >&2; exit 3"], tmp_path / "log")
    with pytest.raises(NotReadyError, match=r"(?s)ended with 3; .*no such thing"):
        process.await_ready(lambda: False, 5)


def test_a_process_that_never_becomes_ready_is_stopped(tmp_path: Path) -> None:
    """After the timeout the process is gone."""
    process = Process(["sleep", "600"], tmp_path / "log")
    with pytest.raises(NotReadyError, match=r"not ready within 0\.2 s"):
        process.await_ready(lambda: False, 0.2)
    assert not alive(process.pid)
