"""Runs commands one after the other, if the live release is still the expected one when they begin.

Run as a program of its own under the run-once wrapper:
act_if_live.py LIVE --ask COMMAND... --then COMMAND... [--then COMMAND...]
LIVE is the word, or the words, that what COMMAND of --ask prints must begin with.
Exit codes: 0 all ended well, 65 another release is live and nothing was touched, 69 it cannot be told which is live and
nothing was touched, 127 a command could not be started, else that of the first command that did not end with 0; what
follows it is not run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import IO

CHANGED, UNKNOWN, NOT_STARTABLE = 65, 69, 127
ASK, THEN = "--ask", "--then"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that a command which is only asked gets."""
PATIENCE = 30.0
"""Seconds that the question of the live release may take."""
LONGEST = 8 << 20
"""Bytes that an answer may have."""
_LAST_LINE = 500
_PR_SET_PDEATHSIG = 1


class NoAnswer(Exception):
    """A command gave no usable answer; the text says which and why."""


def ask(argv: tuple[str, ...], timeout: float) -> str:
    """What a command prints, of no more than LONGEST bytes; raises NoAnswer unless it ends with 0 in time."""
    program = argv[0]
    try:
        # Not pipes, which a process left behind would keep open.
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                argv,
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=complaints,
                start_new_session=True,
            )
            why = _wait(process, timeout, (printed, complaints))
            if why is None and process.returncode != 0:
                said = _last_line(complaints) or _last_line(printed) or "it said nothing"
                why = f"ended with exit code {process.returncode}: {said}"
            if why is not None:
                raise NoAnswer(f"{program} {why}")
            printed.seek(0)
            return printed.read().decode()
    except OSError as error:
        raise NoAnswer(f"{program} cannot be started: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NoAnswer(f"{program} printed what is not UTF-8") from error


def _wait(process: subprocess.Popen[bytes], timeout: float, files: tuple[IO[bytes], ...]) -> str | None:
    """Why it had to be ended, or None where it ended by itself within its bounds."""
    deadline = time.monotonic() + timeout
    why = None
    while why is None and process.poll() is None:
        if time.monotonic() > deadline:
            why = f"did not end within {timeout:g} s"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
        if any(os.fstat(file.fileno()).st_size > LONGEST for file in files):
            why = f"printed more than {LONGEST >> 20} MiB"
    if why is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return why


def _last_line(file: IO[bytes]) -> str:
    file.seek(max(file.seek(0, os.SEEK_END) - 4 * _LAST_LINE, 0))
    lines = file.read().decode(errors="backslashreplace").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_LAST_LINE]


# What follows runs in a process of its own.


def main(arguments: list[str]) -> int:
    """Ask, compare, act; returns the exit code."""
    live, *rest = arguments
    question, *actions = _divide(rest)
    try:
        found = ask(tuple(question), PATIENCE).split()
    except NoAnswer as error:
        _say(f"which release is live cannot be told: {error}; nothing was touched")
        return UNKNOWN
    if found[: len(live.split())] != live.split():
        _say(f"the live release is {' '.join(found)[:_LAST_LINE]!r}, not {live!r} as planned; nothing was touched")
        return CHANGED
    for number, action in enumerate(actions, 1):
        _say(f"[{number}/{len(actions)}] {' '.join(action)}")
        if code := _run(action):
            _say(f"{action[0]} ended with exit code {code}" + ("; nothing more is done" if actions[number:] else ""))
            return code
    return 0


def _divide(words: list[str]) -> list[list[str]]:
    """The commands that begin after each ASK and THEN."""
    commands: list[list[str]] = []
    for word in words:
        if word in (ASK, THEN):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


# The same stands in switch_release.py: each is a program of one file, which is started without a path to import from.
def _run(command: list[str]) -> int:
    libc = ctypes.CDLL(None)
    try:
        code = subprocess.run(
            command,
            check=False,
            # Ended with this process, since nobody would know of it any more.
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        ).returncode
    except OSError as error:
        _say(f"{command[0]} cannot be started: {error.strerror}")
        return NOT_STARTABLE
    return code if code >= 0 else 128 - code  # ended by a signal, as a shell has it


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - this is a program of its own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
