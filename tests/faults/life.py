"""Lives of `serve` that end themselves with SIGKILL, at a point that is told beforehand.

Run as a program it has imported the agent, forks a life for each line of its input, a JSON object, and prints the
life's process id: so no life has to wait for the imports. What a life does is found out by what Python and SQLAlchemy
tell anybody who listens; nothing of the agent is replaced.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from receiver import cli
from receiver.commands import serve
from tests.faults.kills import COMMIT, OUTSIDE, Kill, Moment, Whom

EFFECTS = frozenset(
    ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "subprocess.Popen", "socket.connect")
)
"""The audit events of Python that tell of something done to the world."""
_PR_SET_PDEATHSIG = 1


class _Here(threading.local):
    """Where a thread is: what its transaction says of a step, and the step that it is in."""

    said: tuple[Moment, str] | None = None
    step: str | None = None


class Executioner:
    """Listens to what a life does, and kills it."""

    def __init__(self, kill: Kill, directory: Path) -> None:
        self._kill = kill
        self._directory = directory
        self._here = _Here()
        self._left = kill.nth
        self._dies = threading.Lock()

    def listen(self) -> None:
        """From now on."""
        event.listen(sa.Engine, "before_cursor_execute", self._executes)
        event.listen(sa.Engine, "commit", self._commits)
        event.listen(sa.Engine, "rollback", self._rolls_back)
        event.listen(sa.Pool, "checkin", self._has_committed)
        sys.addaudithook(self._does)

    def _executes(self, _c: object, _cursor: object, statement: str, _p: object, context: Any, _m: object) -> None:
        if statement.startswith("INSERT INTO step"):
            self._here.said = (Moment.BEGUN, context.compiled_parameters[0]["name"])
        elif statement.startswith("UPDATE step") and context.compiled_parameters[0].get("state") == "done":
            self._here.said = (Moment.DONE, context.compiled_parameters[0]["name_1"])

    def _commits(self, _connection: object) -> None:
        self._reach(Moment.BEFORE, COMMIT)
        if self._here.said:
            moment, step = self._here.said
            self._here.step = None
            self._reach(Moment.BEFORE if moment is Moment.BEGUN else Moment.ENDING, step)
            if self._kill.moment is Moment.INSIDE and moment is Moment.DONE:
                self._reach(Moment.INSIDE, step, is_last=True)

    def _rolls_back(self, _connection: object) -> None:
        self._here.said = None

    def _has_committed(self, _connection: object, _record: object) -> None:
        self._reach(Moment.DONE, COMMIT)
        if self._here.said:
            moment, step = self._here.said
            self._here.said = None
            self._here.step = step if moment is Moment.BEGUN else None
            self._reach(moment, step)

    def _does(self, what: str, _arguments: object) -> None:
        if what in EFFECTS:
            self._reach(Moment.INSIDE, self._here.step or OUTSIDE)

    def _reach(self, moment: Moment, place: str, is_last: bool = False) -> None:
        if (moment, place) != (self._kill.moment, self._kill.place):
            return
        self._left -= 1
        if (self._left > 0 and not is_last) or not self._dies.acquire(blocking=False):
            return
        file = os.open(self._directory / "reached", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{place} {moment}\n".encode())
        kill(os.getpid(), self._kill.whom, self._directory)


def kill(life: int, whom: Whom, directory: Path) -> None:
    """End a life, and what else is to end with it of all that works on `directory`."""
    if whom is Whom.ALL:
        for process in at_work(directory):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    with suppress(ProcessLookupError):
        (os.kill if whom is Whom.AGENT else os.killpg)(life, signal.SIGKILL)


def at_work(directory: Path) -> set[int]:
    """The processes that name a file of `directory` on their command line: wrappers, and what they started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{directory}/".encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
    return found


def _live(config: str, log: str, ends: dict[str, Any], directory: str) -> None:
    """All of one life; never returns."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(file, number)
    Executioner(Kill.from_dict(ends), Path(directory)).listen()
    sys.argv = ["rollback-agent", serve.serve.name or "", "--config", config]
    cli.main()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to wait for a life
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            _live(**json.loads(line))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
