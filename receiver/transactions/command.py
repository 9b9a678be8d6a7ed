"""Whether a transaction is open, by the word of a configured command."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from typing import IO

from receiver.errors import TransactionsError

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_LAST = 1000
"""Bytes of what the command printed that are looked at."""


class CommandTransactions:
    """A command whose exit code 0 says that none is open; it may take `timeout` seconds."""

    def __init__(self, argv: tuple[str, ...], timeout: float) -> None:
        self._argv = argv
        self._timeout = timeout

    def pending(self) -> tuple[str, ...]:
        """The last line that the command printed, where it says that there is one; raises TransactionsError."""
        program = self._argv[0]
        with tempfile.TemporaryFile() as output:  # not a pipe, which a process left behind would keep open
            code = self._run(output)
            said = _last_line(output)
        if code < 0:
            raise TransactionsError(f"{program} was ended by signal {-code}")
        return (f"{program} ended with exit code {code}: {said or 'it printed nothing'}",) if code else ()

    def _run(self, output: IO[bytes]) -> int:
        try:
            process = subprocess.Popen(
                self._argv,
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise TransactionsError(f"{self._argv[0]} cannot be started: {error.strerror}") from error
        try:
            return process.wait(self._timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise TransactionsError(f"{self._argv[0]} did not end within {self._timeout:g} s") from error


def _last_line(output: IO[bytes]) -> str:
    output.seek(0, os.SEEK_END)
    output.seek(max(output.tell() - _LAST, 0))
    lines = output.read().decode(errors="backslashreplace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
