"""Commands for run_once, and the processes that they are."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from receiver.run_once import Command

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def shell(directory: Path, script: str, timeout: float = 20) -> Command:
    """A command whose output goes to `directory`/output; its scripts find their files in that directory."""
    script = f"cd {directory} && {{ {script}\n}}"
    return Command(("/bin/sh", "-c", script), ENVIRONMENT, directory / "output", timeout)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
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
