"""A command runs at most once, whatever becomes of the agent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from receiver.run_once import Command, Ended, Lost, run_once, was_started
from receiver.run_once_wrapper import NOT_STARTABLE
from tests.receiver.running_commands import (
    ENVIRONMENT,
    ended_afterwards,
    is_running,
    pid_in,
    shell,
    wait_for,
    wrapper_of,
)

REPOSITORY = Path(__file__).parents[2]
AGENT = """
import sys
from pathlib import Path
from receiver.run_once import Command, run_once
marks, output, script = sys.argv[1:]
run_once(Path(marks), Command(("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"}, Path(output), 30))
"""


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
