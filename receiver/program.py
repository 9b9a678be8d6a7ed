"""Runs a program to its end or its time limit, and keeps the last of what it said; for programs that may run again."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from receiver.errors import ProgramError

ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that a program is told of where it runs, beside what it is given on purpose."""
_LAST = 1000
"""Bytes of what it printed that are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended by itself, and the last of what it printed."""

    exit_code: int
    said: str


def run_program(
    argv: tuple[str, ...],
    timeout: float,
    environment: Mapping[str, str] = ENVIRONMENT,
    read: Path | None = None,
    write: Path | None = None,
) -> Ended:
    """Run `argv` in `/` within `timeout` seconds; raises ProgramError where it cannot be started or does not end.

    Its standard input is the file `read`, or nothing; its standard output goes to the new file `write`, or is kept
    with its standard error. At its time limit, and where it is not waited for to the
    end, it is killed with its process group.
    """
    # Not a pipe for what it says, which a process left behind would keep open.
    with tempfile.TemporaryFile() as said, open(read or os.devnull, "rb") as given:  # noqa: PTH123 - a device too
        if write is None:
            code = _run(argv, timeout, environment, given, said, said)
        else:
            with write.open("xb") as output:
                code = _run(argv, timeout, environment, given, output, said)
        if code < 0:
            raise ProgramError(f"{argv[0]} was ended by signal {-code}")
        return Ended(code, _last_of(said))


def _run(
    argv: tuple[str, ...],
    timeout: float,
    environment: Mapping[str, str],
    given: IO[bytes],
    output: IO[bytes],
    said: IO[bytes],
) -> int:
    try:
        process = subprocess.Popen(
            argv, env=environment, cwd="/", stdin=given, stdout=output, stderr=said, start_new_session=True
        )
    except OSError as error:
        raise ProgramError(f"{argv[0]} cannot be started: {error.strerror}") from error
    try:
        return process.wait(timeout)
    except BaseException as error:  # Ctrl-C too: the program has a session of its own, and is not told of it
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ProgramError(f"{argv[0]} did not end within {timeout:g} s") from error
        raise


def _last_of(said: IO[bytes]) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(said.tell() - _LAST, 0))
    return said.read().decode(errors="backslashreplace").strip()
