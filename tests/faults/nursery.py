"""Starts lives of the agent that are to be killed, from a process that has imported it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import life
from tests.faults.kills import Kill, Whom

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Life:
    """One process of `serve`, until it has ended."""

    pid: int
    handle: int | None
    """A descriptor that can be read once it has ended; None where it had ended before anybody could look."""
    directory: Path

    def ends_within(self, seconds: float) -> bool:
        """Whether it has ended, waiting for that as long."""
        return self.handle is None or bool(select.select([self.handle], [], [], seconds)[0])

    def kill(self, whom: Whom) -> None:
        """End it now, unless it has ended, and wait until it has."""
        if self.handle is None:
            return
        if not self.ends_within(0):  # afterwards its number may be somebody else's
            life.kill(self.pid, whom, self.directory)
            self.ends_within(60)
        os.close(self.handle)


class Nursery:
    """A process that forks lives."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, config: Path, log: Path, ends: Kill, directory: Path) -> Life:
        """A life of `serve` with this configuration, which works on `directory`."""
        assert self._process.stdin
        assert self._process.stdout
        told = {"config": str(config), "log": str(log), "ends": ends.as_dict(), "directory": str(directory)}
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            handle = None
        return Life(pid, handle, directory)


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Whatever still lives at the end is killed with it."""
    program = (sys.executable, "-m", life.__name__)
    with subprocess.Popen(
        program, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()
