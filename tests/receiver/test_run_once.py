"""A command runs at most once, whatever becomes of the agent, and nothing that it started outlives its time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from receiver.run_once import Command, Ended, Lost, run_once, was_started
from receiver.run_once_wrapper import KEPT, NOT_STARTABLE, TIMED_OUT

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
AGENT = """
import sys
from pathlib import Path
from receiver.run_once import Command, run_once
marks, output, script = sys.argv[1:]
run_once(Path(marks), Command(("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"}, Path(output), 30))
"""


def shell(directory: Path, script: str, timeout: float = 20) -> Command:
    """A command whose output goes to `directory`/output; its scripts find their files in that directory."""
    script = f"cd {directory} && {{ {script}\n}}"
    return Command(("/bin/sh", "-c", script), ENVIRONMENT, directory / "output", timeout)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)


def pid_in(file: Path) -> int:
    """The process id that a script leaves in `file`."""
    wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wrapper_of(marks: Path) -> int:
    """The process id of the wrapper that works with these marks."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
            if str(marks).encode() in arguments and b"-I" in arguments:
                return int(entry.name)
    raise AssertionError("there is no wrapper")


@contextmanager
def ended_afterwards(file: Path) -> Iterator[None]:
    """Kill the process whose id is in `file` at the end."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid_in(file), signal.SIGKILL)


def test_exit_code_times_and_output_are_told(tmp_path: Path) -> None:
    """A command's own exit code comes back, with when it ran, and what it printed is in the file, both streams."""
    before = time.time()
    ended = run_once(tmp_path / "marks", shell(tmp_path, "echo to stdout; echo to stderr >&2; sleep 0.2; exit 7"))
    assert isinstance(ended, Ended)
    assert ended.exit_code == 7
    assert before - 1 < ended.started_at < ended.finished_at - 0.1 < time.time()
    assert (tmp_path / "output").read_text() == "to stdout\nto stderr\n"


def test_command_ended_by_a_signal_has_the_shells_code(tmp_path: Path) -> None:
    """A command that was killed by signal 9 is told as 137, not as a negative number."""
    ended = run_once(tmp_path / "marks", shell(tmp_path, "kill -9 $$"))
    assert isinstance(ended, Ended)
    assert ended.exit_code == 128 + 9


@pytest.mark.parametrize("given", [{}, {"PATH": "/bin", "LANG": "C.UTF-8", "ROLLBACK_PLAN": "/a b\nc=d"}])
def test_environment_is_exactly_what_was_given(
    tmp_path: Path, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the agent's environment reaches the command, and nothing is added to what was given (T5)."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/the/agent")
    command = Command(("/usr/bin/env", "-0"), given, tmp_path / "output", 10)
    run_once(tmp_path / "marks", command)
    printed = (tmp_path / "output").read_text().split("\0")
    assert sorted(printed) == sorted([*(f"{name}={value}" for name, value in given.items()), ""])


def test_environment_cannot_change_the_wrapper(tmp_path: Path) -> None:
    """A variable that makes Python load other code is handed on to the command and ignored by the wrapper (T5)."""
    (tmp_path / "subprocess.py").write_text("raise SystemExit('loaded')")
    command = shell(tmp_path, "echo $PYTHONPATH")
    given = {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}
    ended = run_once(tmp_path / "marks", Command(command.argv, given, command.output, 10))
    assert isinstance(ended, Ended)
    assert (ended.exit_code, (tmp_path / "output").read_text()) == (0, f"{tmp_path}\n")


def test_command_has_no_input_and_runs_in_the_root_directory(tmp_path: Path) -> None:
    """A command that reads its input meets the end at once, and it holds no directory of the agent."""
    command = Command(("/bin/sh", "-c", "pwd; cat; exit 0"), ENVIRONMENT, tmp_path / "output", 10)
    ended = run_once(tmp_path / "marks", command)
    assert isinstance(ended, Ended)
    assert (ended.exit_code, (tmp_path / "output").read_text()) == (0, "/\n")


def test_mark_is_on_disk_before_the_command(tmp_path: Path) -> None:
    """The command finds its own mark: it cannot have begun without it."""
    assert not was_started(tmp_path / "marks")
    ended = run_once(tmp_path / "marks", shell(tmp_path, "test -e marks/started"))
    assert isinstance(ended, Ended)
    assert ended.exit_code == 0
    assert was_started(tmp_path / "marks")


@pytest.mark.parametrize(
    ("program", "reason"),
    [("/nonexistent/restart", "No such file or directory"), ("/etc", "Permission denied")],
)
def test_command_that_cannot_be_started_is_told(tmp_path: Path, program: str, reason: str) -> None:
    """A program that is not there or not executable is code 127 with the reason in the output."""
    ended = run_once(tmp_path / "marks", Command((program,), ENVIRONMENT, tmp_path / "output", 10))
    assert isinstance(ended, Ended)
    assert ended.exit_code == NOT_STARTABLE
    assert (tmp_path / "output").read_text() == f"{program} cannot be started: {reason}\n"


def test_command_without_a_place_for_its_output_is_not_started(tmp_path: Path) -> None:
    """Where the output cannot be kept nothing is run, and that is known, not lost."""
    command = shell(tmp_path, "touch ran")
    ended = run_once(tmp_path / "marks", Command(command.argv, ENVIRONMENT, tmp_path / "absent" / "output", 10))
    assert isinstance(ended, Ended)
    assert ended.exit_code == NOT_STARTABLE
    assert not (tmp_path / "ran").exists()


def test_second_call_only_tells_how_it_ended(tmp_path: Path) -> None:
    """The same directory never runs a command again, not even another one."""
    first = run_once(tmp_path / "marks", shell(tmp_path, "echo ran >> count; exit 3"))
    second = run_once(tmp_path / "marks", shell(tmp_path, "echo other >> count"))
    assert first == second
    assert (tmp_path / "count").read_text() == "ran\n"


def test_calls_at_once_run_it_once(tmp_path: Path) -> None:
    """Of six calls at the same moment one starts the command, and all are told the same end."""
    together = threading.Barrier(6)

    def call() -> Ended | Lost:
        together.wait()
        return run_once(tmp_path / "marks", shell(tmp_path, "echo ran >> count; sleep 0.5; exit 4"))

    with ThreadPoolExecutor(6) as pool:
        ends = {future.result() for future in [pool.submit(call) for _ in range(6)]}
    assert (tmp_path / "count").read_text() == "ran\n"
    [ended] = ends
    assert isinstance(ended, Ended)
    assert ended.exit_code == 4


def test_killed_agent_finds_its_command_again(tmp_path: Path) -> None:
    """The agent's process group is killed in the middle; the command goes on, and a new agent is told how it ended."""
    script = f"cd {tmp_path}; echo ran >> count; echo begin; sleep 1.5; echo end; exit 5"
    arguments = [str(tmp_path / "marks"), str(tmp_path / "output"), script]
    with subprocess.Popen([sys.executable, "-c", AGENT, *arguments], cwd=REPOSITORY, start_new_session=True) as agent:
        wait_for((tmp_path / "count").exists)
        os.killpg(agent.pid, signal.SIGKILL)
    assert not (tmp_path / "marks" / "exit").exists()
    ended = run_once(tmp_path / "marks", shell(tmp_path, "echo ran >> count"))
    assert isinstance(ended, Ended)
    assert ended.exit_code == 5
    assert (tmp_path / "count").read_text() == "ran\n"
    assert (tmp_path / "output").read_text() == "begin\nend\n"


def test_killed_wrapper_makes_the_command_lost(tmp_path: Path) -> None:
    """Where the wrapper is killed nobody can know the end, so it is now: who waited and who comes later hear Lost."""
    command = shell(tmp_path, "echo ran >> count; echo $$ > pid; exec sleep 60")
    with ended_afterwards(tmp_path / "pid"), ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(run_once, tmp_path / "marks", command)
        pid = pid_in(tmp_path / "pid")
        os.kill(wrapper_of(tmp_path / "marks"), signal.SIGKILL)
        wait_for(lambda: not is_running(pid))
        later = pool.submit(run_once, tmp_path / "marks", command)
        assert isinstance(waiting.result(), Lost)
        assert waiting.result() == later.result()
    assert (tmp_path / "count").read_text() == "ran\n"
    assert was_started(tmp_path / "marks")


def test_time_limit_ends_all_that_the_command_started(tmp_path: Path) -> None:
    """At the limit the command and an orphan of it in a session of its own get TERM and are gone within seconds."""
    script = "(setsid sh -c 'echo $$ > grandchild; exec sleep 60' &); echo $$ > child; exec sleep 60"
    began = time.monotonic()
    ended = run_once(tmp_path / "marks", shell(tmp_path, script, timeout=1))
    assert isinstance(ended, Ended)
    assert ended.exit_code == TIMED_OUT
    assert time.monotonic() - began < 3
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
    assert 5 < time.monotonic() - began < 9
    assert not is_running(pid_in(tmp_path / "child"))
    assert not is_running(pid_in(tmp_path / "grandchild"))


def test_what_a_command_leaves_running_delays_nothing(tmp_path: Path) -> None:
    """A child that holds the output open may be the service that was restarted: it is left alone and not waited for."""
    began = time.monotonic()
    with ended_afterwards(tmp_path / "left"):
        ended = run_once(tmp_path / "marks", shell(tmp_path, "sleep 60 & echo $! > left; exit 0"))
        assert isinstance(ended, Ended)
        assert ended.exit_code == 0
        assert time.monotonic() - began < 3
        assert is_running(pid_in(tmp_path / "left"))


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
