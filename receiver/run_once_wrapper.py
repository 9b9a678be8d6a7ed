"""Runs one command to its end in a process of its own, which outlives the agent that asked for it.

Run as a program: run_once_wrapper.py DIRECTORY OUTPUT TIMEOUT LEFTOVERS COMMAND... It holds `lock` in DIRECTORY,
leaves the mark `started` before the command and its exit code in `exit` after it, and sends what the command prints to
OUTPUT, of which only the beginning and the end are kept where it is long. It needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE = 5.0
"""Seconds between TERM and KILL, and for a wrapper to take its lock."""
TIMED_OUT = 124
"""The exit code of a command that was ended at its deadline (as timeout(1) has it)."""
NOT_STARTABLE = 127
"""The exit code of a command that could not be started (as a shell has it)."""
LEAVE, END = "leave", "end"
"""What becomes of processes that outlive the command: they may be the very service that it restarted."""
KEPT = 1 << 20
"""Bytes that are kept of the beginning and of the end of a long output."""
LOOK_AGAIN = 0.05
"""Seconds between two looks at how long the output has become."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_KEEP_SIZE, _PUNCH_HOLE = 1, 2


def _wrap(directory: Path, output: Path, timeout: float, leftovers: str, argv: list[str]) -> None:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):  # the agent looks at the lock by taking it for an instant
        _lock_patiently(lock)
        if mark_started(directory):
            record_exit(directory, _run(output, timeout, leftovers, argv))


def mark_started(directory: Path) -> bool:
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
    """What the command prints, in a file of which only the two ends are kept once it is long.

    While the command writes, its middle is given back to the disk and nothing is moved: what is being written at that
    moment must not get lost. Once it has ended, the two ends are put together.
    """

    def __init__(self, file: Path) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.handle = os.open(file, flags, 0o600)  # what a command prints may hold a secret
        self._left_out = 0
        self._given_back = KEPT

    def say(self, sentence: str) -> None:
        os.write(self.handle, sentence.encode())

    def give_back_the_middle(self) -> None:
        """Keep the file small on disk. A file system that cannot have holes has the middle left out at once."""
        end = os.fstat(self.handle).st_size - KEPT
        if end - self._given_back <= 2 * KEPT:
            return
        if _punch_a_hole(self.handle, self._given_back, end - self._given_back):
            self._given_back = end
        else:
            self.leave_out_the_middle()

    def leave_out_the_middle(self) -> None:
        """Put the two ends together; what is written in that moment may be lost."""
        size = os.fstat(self.handle).st_size
        if size <= 4 * KEPT:
            return
        end = os.pread(self.handle, KEPT, size - KEPT)
        self._left_out += size - 2 * KEPT
        self._given_back = KEPT
        # The same file, not a new one: what writes to it goes on, and appends wherever its end is.
        os.truncate(self.handle, KEPT)
        self.say(f"\n[{self._left_out} bytes are left out here]\n")
        os.write(self.handle, end)


def _punch_a_hole(file: int, begin: int, length: int) -> bool:
    """Give these bytes back to the disk, leaving the file as long as it is; False where its file system cannot."""
    fallocate = ctypes.CDLL(None).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return bool(fallocate(file, _PUNCH_HOLE | _KEEP_SIZE, begin, length) == 0)


def _run(output_file: Path, timeout: float, leftovers: str, argv: list[str]) -> int:
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
    return _supervise(command, timeout, leftovers, output)


def _given_environment() -> dict[bytes, bytes]:
    # As the kernel kept it: Python adds LC_CTYPE to its own copy where the environment names no locale.
    pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    return {name: value for name, equals, value in (pair.partition(b"=") for pair in pairs) if equals}


def _supervise(command: subprocess.Popen[bytes], timeout: float, leftovers: str, output: _Output) -> int:
    deadline = time.monotonic() + timeout
    code: int | None = None
    while code is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            code = command.wait(LOOK_AGAIN)
        output.give_back_the_middle()
    left = _named(_descendants(os.getpid()))
    if code is None or leftovers == END:
        _end_descendants(output)
    output.leave_out_the_middle()
    if left and code is not None:
        output.say(f"\n{'ended' if leftovers == END else 'left running'}: {left}\n")
    if code is None:
        output.say(f"\nended after {timeout:g} s, its time limit\n")
        return TIMED_OUT
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
            output.give_back_the_middle()
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)


def _named(processes: set[int]) -> str:
    """These processes as a person would name them: `gradio (1234), sleep (1240)`."""
    names = []
    for pid in sorted(processes):
        with suppress(OSError):
            names.append(f"{Path(f'/proc/{pid}/comm').read_text().strip()} ({pid})")
    return ", ".join(names)


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


def record_exit(directory: Path, code: int) -> None:
    """Leave the exit code, whole or not at all."""
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
    # What stops a whole service (systemd's KillMode=control-group) reaches the command itself, whose end is to be told.
    # Handlers that do nothing, and not SIG_IGN: that the command would inherit.
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, lambda *_: None)
    _wrap(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5:])
