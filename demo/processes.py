"""Starts child processes, waits until they answer, and stops them with everything that they started."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

# The program itself, never a proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PORTS, _SHARE = range(12_000, 32_000), 500
"""All of them lie below those that the kernel gives to clients."""
# execs the program with a "parent died" signal set, so the pid stays and no code runs between fork and exec.
_DIE_WITH_PARENT = ("/usr/bin/setpriv", "--pdeathsig", "TERM", "--")


class NotReadyError(Exception):
    """A process ended or stayed silent instead of becoming ready; the message ends with its last output."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment, and that no other process is given meanwhile."""
    _, ports = _own_ports()
    for port in itertools.islice(ports, _SHARE):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("every port of this process's share is in use")


@functools.cache
def _own_ports() -> tuple[socket.socket, Iterator[int]]:
    """A share of the ports, and the mark that says whose it is while the process lives.

    Between the look at a port and its use another process would find it free as well, and talk to the wrong server.
    """
    for first in _PORTS[::_SHARE]:
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0rollback-agent-ports-{first}")
        except OSError:
            mark.close()
        else:
            atexit.register(mark.close)
            return mark, itertools.cycle(range(first, first + _SHARE))
    raise OSError("other processes have taken all ports that are shared out")


def wait_until(condition: Callable[[], bool], timeout: float, every: float = 0.05) -> bool:
    """Whether `condition` came true within `timeout` seconds, asked `every` so many seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def answers(url: str, timeout: float = 1.0) -> bool:
    """Whether a GET of `url` is answered with 2xx."""
    try:
        with _OPENER.open(url, timeout=timeout) as response:
            return 200 <= int(response.status) < 300
    except (OSError, HTTPException, ValueError):
        return False


class Process:
    """A running child, leader of its own session; a context manager that stops it.

    Output of both kinds is appended to `log`. With `die_with_parent` the kernel sends it TERM when the thread
    that started it ends, so a killed parent leaves nothing behind.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        die_with_parent: bool = True,
    ) -> None:
        self.argv = tuple(str(part) for part in argv)
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                (*_DIE_WITH_PARENT, *self.argv) if die_with_parent else self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while the leader runs; minus the number of the signal that ended it."""
        if self._popen.returncode is not None:
            return int(self._popen.returncode)
        # Not reaped before stop(): until then its number cannot become anybody else's.
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    @property
    def running(self) -> bool:
        """Whether the leader has not ended yet."""
        return self.exit_code is None

    def await_ready(self, ready: str | Callable[[], bool], timeout: float = 120.0) -> Self:
        """Itself, once `ready` holds (a URL: answers 2xx); stops it and raises NotReadyError otherwise."""
        check = ready if callable(ready) else lambda: answers(ready)
        came_up = wait_until(lambda: not self.running or check(), timeout) and self.running
        if came_up:
            return self
        said = f"ended with {self.exit_code}" if not self.running else f"was not ready within {timeout:g} s"
        self.stop(grace=1.0)
        raise NotReadyError(f"{self.argv[0]} {said}; its last output:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the leader, if it still runs."""
        if self.running:
            os.kill(self.pid, number)

    def stop(self, grace: float = 10.0) -> None:
        """TERM, after `grace` seconds KILL, to the leader; then KILL to what is left of its process group."""
        if self._popen.returncode is not None:
            return
        self.signal(signal.SIGTERM)
        wait_until(lambda: not self.running, grace)
        os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
