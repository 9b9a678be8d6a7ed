"""Runs a command at most once, whatever becomes of the agent, and tells afterwards what became of the command.

The command runs under a wrapper in a session of its own. The wrapper holds `lock`, leaves the mark `started` before
the command and `exit` after it, and sends the command's output to a file; so an agent that was killed finds the
command again instead of starting it a second time. Of a long output the file keeps the beginning and the end.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver import run_once_wrapper
from receiver.run_once_wrapper import END, GRACE, LEAVE, NOT_STARTABLE, mark_started, record_exit


@dataclass(frozen=True, slots=True)
class Ended:
    """The command has ended; times are Unix seconds."""

    exit_code: int
    started_at: float
    finished_at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The command was started, and nobody can know how it ended: the machine or its wrapper was killed."""

    started_at: float


def was_started(directory: Path) -> bool:
    """Whether the command of this directory was ever started."""
    return (directory / "started").exists()


@dataclass(frozen=True, slots=True)
class Command:
    """An absolute argv, the whole environment it gets, where its output goes, and how many seconds it may take.

    What it leaves running when it ends by itself is left alone, unless `ends_leftovers`.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    output: Path
    timeout: float
    ends_leftovers: bool = False


def run_once(directory: Path, command: Command) -> Ended | Lost:
    """Start the command unless it was started before, then wait for its end; `directory` holds its marks.

    At its time limit the command gets TERM, then KILL, with everything it started.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        wrapper = None if was_started(directory) else _start_wrapper(directory, command)
    except OSError as error:  # no process could be made; who is asked again must not try it again
        command.output.write_text(f"no process can be started: {error.strerror}\n")
        return _give_up(directory)
    ended = _wait(directory, time.monotonic() + command.timeout + 3 * GRACE)
    if wrapper is not None:
        with suppress(subprocess.TimeoutExpired):
            wrapper.wait(GRACE)  # it has nothing left to do, and unwaited for it would stay a zombie
    return ended


def _start_wrapper(directory: Path, command: Command) -> subprocess.Popen[bytes]:
    # -I: neither the user's site-packages nor a variable can change what runs. The file itself is run, not a module,
    # because it needs nothing but the standard library and should start at once.
    program = (sys.executable, "-I", "-S", run_once_wrapper.__file__)
    leftovers = END if command.ends_leftovers else LEAVE
    own = (*program, str(directory), str(command.output), f"{command.timeout:g}", leftovers)
    return subprocess.Popen(
        [*own, *command.argv],
        env=command.environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
    )


def _wait(directory: Path, deadline: float) -> Ended | Lost:
    unlocked_since: float | None = None
    pause = threading.Event()
    while True:
        ended = _read_exit(directory)
        if ended is not None:
            return ended
        now = time.monotonic()
        unlocked_since = None if _locked(directory) else (unlocked_since or now)
        # No lock and no exit code: the wrapper has not come up yet, or it was killed.
        if (unlocked_since is not None and now - unlocked_since > GRACE) or now > deadline:
            return _give_up(directory)
        pause.wait(0.02)


def _give_up(directory: Path) -> Ended | Lost:
    if mark_started(directory):  # so a wrapper that comes up only now will not start the command any more
        record_exit(directory, NOT_STARTABLE)
    return _read_exit(directory) or Lost((directory / "started").stat().st_mtime)


def _read_exit(directory: Path) -> Ended | None:
    path = directory / "exit"
    try:
        code = int(path.read_text())
    except FileNotFoundError:
        return None
    return Ended(code, (directory / "started").stat().st_mtime, path.stat().st_mtime)


def _locked(directory: Path) -> bool:
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
