"""Runs a command at most once, whatever becomes of the agent, and tells afterwards what became of the command.

The command runs under a wrapper in a session of its own. The wrapper holds `lock`, leaves the mark `started` before
the command and `exit` after it, and sends the command's output to a file; so an agent that was killed finds the
command again instead of starting it a second time. Of a long output the file keeps the beginning and the end.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE = 5.0
"""Seconds between TERM and KILL, and for a wrapper to take its lock."""
TIMED_OUT = 124
"""The exit code of a command that was ended at its deadline (as timeout(1) has it)."""
NOT_STARTABLE = 127
"""The exit code of a command that could not be started (as a shell has it)."""
KEPT = 1 << 20
"""Bytes that are kept of the beginning and of the end of a long output."""
LOOK_AGAIN = 0.05
"""Seconds between two looks at how long the output has become."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


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
    """An absolute argv, the whole environment it gets, where its output goes, and how many seconds it may take."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    output: Path
    timeout: float


def run_once(directory: Path, command: Command) -> Ended | Lost:
    """Start the command unless it was started before, then wait for its end; `directory` holds its marks.

    At its time limit the command gets TERM, then KILL, with everything it started.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    wrapper = None if was_started(directory) else _start_wrapper(directory, command)
    ended = _wait(directory, time.monotonic() + command.timeout + 3 * GRACE)
    if wrapper is not None:
        with suppress(subprocess.TimeoutExpired):
            wrapper.wait(GRACE)  # it has nothing left to do, and unwaited for it would stay a zombie
    return ended


def _start_wrapper(directory: Path, command: Command) -> subprocess.Popen[bytes]:
    # -I: neither the user's site-packages nor a variable can change what runs. The file itself is run, not a module,
    # because it needs nothing but the standard library and should start at once.
    own = [sys.executable, "-I", "-S", __file__, str(directory), str(command.output), f"{command.timeout:g}"]
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
    if _mark_started(directory):  # so a wrapper that comes up only now will not start the command any more
        _record_exit(directory, NOT_STARTABLE)
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


# What follows runs in the wrapper's own process.


def _wrap(directory: Path, output: Path, timeout: float, argv: list[str]) -> None:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):  # the agent looks at the lock by taking it for an instant
        _lock_patiently(lock)
        if _mark_started(directory):
            _record_exit(directory, _run(output, timeout, argv))


def _mark_started(directory: Path) -> bool:
    """Leave the durable mark; returns False where it was there, so nothing may be started."""
    try:
        os.close(os.open(directory / "started", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    _sync(directory)
    return True


def _lock_patiently(lock: int) -> None:
    for _ in range(100):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return
    raise BlockingIOError


class _Output:
    """What the command prints, in a file of which only the two ends are kept once it is long."""

    def __init__(self, file: Path) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.handle = os.open(file, flags, 0o600)  # what a command prints may hold a secret
        self._left_out = 0

    def say(self, sentence: str) -> None:
        os.write(self.handle, sentence.encode())

    def leave_out_the_middle(self) -> None:
        size = os.fstat(self.handle).st_size
        if size <= 4 * KEPT:
            return
        end = os.pread(self.handle, KEPT, size - KEPT)
        self._left_out += size - 2 * KEPT
        # The same file, not a new one: what writes to it goes on, and appends wherever its end is.
        os.truncate(self.handle, KEPT)
        self.say(f"\n[{self._left_out} bytes are left out here]\n")
        os.write(self.handle, end)


def _run(output_file: Path, timeout: float, argv: list[str]) -> int:
    try:
        output = _Output(output_file)
    except OSError:
        return NOT_STARTABLE  # a command whose output is lost is not started at all
    libc = ctypes.CDLL(None, use_errno=True)
    # A grandchild that leaves the session is beyond killpg; as subreaper the wrapper still inherits it.
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        command = subprocess.Popen(
            argv,
            env=_given_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output.handle,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Without its wrapper the command counts as interrupted, so it must not go on unseen.
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509 - one thread
        )
    except OSError as error:
        output.say(f"{argv[0]} cannot be started: {error.strerror}\n")
        return NOT_STARTABLE
    return _supervise(command, timeout, output)


def _given_environment() -> dict[bytes, bytes]:
    # As the kernel kept it: Python adds LC_CTYPE to its own copy where the environment names no locale.
    pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    return {name: value for name, equals, value in (pair.partition(b"=") for pair in pairs) if equals}


def _supervise(command: subprocess.Popen[bytes], timeout: float, output: _Output) -> int:
    deadline = time.monotonic() + timeout
    code: int | None = None
    while code is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            code = command.wait(LOOK_AGAIN)
        output.leave_out_the_middle()
    if code is None:
        code = TIMED_OUT
        _end_descendants(output)
        output.say(f"\nended after {timeout:g} s, its time limit\n")
    # What a command leaves running when it ends by itself may be the very service that it restarted.
    return code if code >= 0 else 128 - code


def _end_descendants(output: _Output) -> None:
    """TERM, then KILL, to whatever is left of what the command started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE
        signalled: set[int] = set()
        while left := _descendants(os.getpid()):
            for pid in left - signalled:
                with suppress(ProcessLookupError):
                    os.kill(pid, sign)
            signalled |= left
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            output.leave_out_the_middle()
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        output.leave_out_the_middle()


def _descendants(of: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if after_name[0] != "Z":
                    children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found: set[int] = set()
    open_ = [of]
    while open_:
        for child in children.get(open_.pop(), []):
            if child not in found:
                found.add(child)
                open_.append(child)
    return found


def _record_exit(directory: Path, code: int) -> None:
    temporary = directory / "exit.new"
    with temporary.open("w") as file:
        file.write(str(code))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(directory / "exit")
    _sync(directory)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


if __name__ == "__main__":
    _wrap(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
