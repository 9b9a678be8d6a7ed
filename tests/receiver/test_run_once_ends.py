"""What becomes of the processes of a command, and of what it prints, at its end and at its time limit."""

from __future__ import annotations

import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from receiver.run_once import Ended, run_once
from receiver.run_once_wrapper import KEPT, TIMED_OUT
from tests.receiver.running_commands import ended_afterwards, is_running, pid_in, shell


def test_time_limit_ends_all_that_the_command_started(tmp_path: Path) -> None:
    """At the limit the command and an orphan of it in a session of its own get TERM and are gone within seconds."""
    script = "(setsid sh -c 'echo $$ > grandchild; exec sleep 60' &); echo $$ > child; exec sleep 60"
    began = time.monotonic()
    ended = run_once(tmp_path / "marks", shell(tmp_path, script, timeout=1))
    assert isinstance(ended, Ended)
    assert ended.exit_code == TIMED_OUT
    assert time.monotonic() - began < 30
    assert not is_running(pid_in(tmp_path / "child"))
    assert not is_running(pid_in(tmp_path / "grandchild"))
    assert (tmp_path / "output").read_text() == "\nended after 1 s, its time limit\n"


def test_time_limit_ends_what_ignores_term(tmp_path: Path) -> None:
    """What ignores TERM is killed after a grace period, a grandchild in a session of its own as well."""
    script = (
        "trap '' TERM; setsid sh -c 'echo $$ > grandchild; sleep 60; sleep 60' & echo $$ > child; sleep 60; sleep 60"
    )
    began = time.monotonic()
    ended = run_once(tmp_path / "marks", shell(tmp_path, script, timeout=0.5))
    assert isinstance(ended, Ended)
    assert ended.exit_code == TIMED_OUT
    assert 5 < time.monotonic() - began < 30
    assert not is_running(pid_in(tmp_path / "child"))
    assert not is_running(pid_in(tmp_path / "grandchild"))


def test_what_a_command_leaves_running_delays_nothing(tmp_path: Path) -> None:
    """A child that holds the output open may be the service that was restarted: it is left alone and not waited for."""
    began = time.monotonic()
    with ended_afterwards(tmp_path / "left"):
        ended = run_once(tmp_path / "marks", shell(tmp_path, "sleep 60 & echo $! > left; exit 0"))
        assert isinstance(ended, Ended)
        assert ended.exit_code == 0
        assert time.monotonic() - began < 30
        assert is_running(pid_in(tmp_path / "left"))
        # It is a shell until it has become what it is to run.
        assert re.fullmatch(rf"left running: (sh|sleep) \({pid_in(tmp_path / 'left')}\)", command_output(tmp_path))


def test_what_a_command_leaves_running_is_ended_where_that_is_wanted(tmp_path: Path) -> None:
    """With `ends_leftovers` a child is gone when the command has ended, also one in a session of its own."""
    script = "(setsid sh -c 'echo $$ > grandchild; exec sleep 60' &); until [ -s grandchild ]; do :; done"
    with ended_afterwards(tmp_path / "grandchild"):
        command = replace(shell(tmp_path, f"{script}; exit 3", timeout=60), ends_leftovers=True)
        ended = run_once(tmp_path / "marks", command)
        assert isinstance(ended, Ended)
        assert ended.exit_code == 3
        assert not is_running(pid_in(tmp_path / "grandchild"))
        assert re.fullmatch(rf"ended: (sh|sleep) \({pid_in(tmp_path / 'grandchild')}\)", command_output(tmp_path))


def command_output(directory: Path) -> str:
    """The last line that stands in the output."""
    return (directory / "output").read_text().splitlines()[-1]


def test_no_zombie_is_left(tmp_path: Path) -> None:
    """The wrapper has been waited for when the call returns."""
    run_once(tmp_path / "marks", shell(tmp_path, "exit 0"))
    stats = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            stats.append(entry.read_text().rpartition(")")[2].split())
    assert not [stat for stat in stats if stat[1] == str(os.getpid()) and stat[0] == "Z"]


def test_of_a_long_output_both_ends_are_kept(tmp_path: Path) -> None:
    """Of a gibibyte that a command prints a few MiB are left on disk: how it began, how it ended, what is missing
    (T16).
    """
    script = "echo the first line; head -c 1G /dev/zero; echo the last line"
    largest, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            with suppress(FileNotFoundError):
                largest.append((tmp_path / "output").stat().st_blocks * 512)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        ended = run_once(tmp_path / "marks", shell(tmp_path, script, timeout=60))
        stop.set()
        watching.result()
    printed = (tmp_path / "output").read_bytes()
    assert isinstance(ended, Ended)
    assert ended.exit_code == 0
    assert printed.startswith(b"the first line\n")
    assert printed.endswith(b"the last line\n")
    assert len(printed) < 5 * KEPT
    assert max(largest) < 1 << 29
    left_out = int(printed.partition(b"\n[")[2].partition(b" bytes are left out here]\n")[0])
    assert left_out == len("the first line\n") + (1 << 30) + len("the last line\n") - 2 * KEPT, "nothing got lost"


def test_output_while_the_command_is_ended_is_bounded_too(tmp_path: Path) -> None:
    """What ignores TERM and goes on printing until it is killed fills no disk."""
    script = "trap '' TERM; echo $$ > child; while :; do head -c 16M /dev/zero; done"
    ended = run_once(tmp_path / "marks", shell(tmp_path, script, timeout=0.5))
    assert isinstance(ended, Ended)
    assert ended.exit_code == TIMED_OUT
    assert not is_running(pid_in(tmp_path / "child"))
    printed = (tmp_path / "output").read_bytes()
    assert len(printed) < 5 * KEPT
    assert printed.endswith(b"ended after 0.5 s, its time limit\n")


def test_output_is_its_owners(tmp_path: Path) -> None:
    """Nobody but the agent's user may read what the command printed, whatever the umask is (T16)."""
    before = os.umask(0)
    try:
        command = shell(tmp_path, "echo hello")
        run_once(tmp_path / "marks", command)
    finally:
        os.umask(before)
    assert command.output.stat().st_mode & 0o777 == 0o600
