"""The receiver's threads: who looks at the inbox, who works on runs, who looks around from time to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from receiver.errors import RollbackAgentError
from receiver.log import get_log
from receiver.observe import observe
from receiver.wiring import Parts
from receiver.workflow import LEASE

RUN_THREADS = 4
POLL = 0.25
"""Seconds between two looks at the journal: another process may have written to it (an approval, a request)."""


class Workers:
    """Threads that work until they are stopped; what fails is logged and tried again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._notified = threading.Event()
        self._runnable = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all threads."""
        self._spawn("inbox", self._loop, self._inbox, self._notified)
        for number in range(RUN_THREADS):
            self._spawn(f"run-{number}", self._loop, self._parts.workflow.work_once, self._runnable)
        self._spawn("leases", self._every, LEASE / 4, self._parts.workflow.renew_leases)
        self._spawn("reconcile", self._every, self._parts.config.reconcile_every, self._reconcile)
        for world in self._parts.worlds.values():
            self._spawn(
                f"observe-{world.deployment}",
                self._every,
                world.settings.observe_every,
                lambda world=world: observe(world, self._parts.prometheus),
            )

    def notify(self) -> None:
        """Something was stored in the inbox."""
        self._notified.set()

    def stop(self, patience: float) -> bool:
        """Ask all threads to end and wait up to `patience` seconds; returns whether all have."""
        self._stop.set()
        self._notified.set()
        self._runnable.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def _spawn(self, name: str, loop: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=loop, args=arguments, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _inbox(self) -> bool:
        began = self._parts.inbox.work_once()
        if began:
            self._runnable.set()
        return False

    def _reconcile(self) -> None:
        if self._parts.inbox.reconcile():
            self._runnable.set()

    def _loop(self, work: Callable[[], bool], wake: threading.Event) -> None:
        """Work while there is some, then wait to be woken or for the next poll."""
        while not self._stop.is_set():
            wake.clear()
            if not self._try(work):
                wake.wait(POLL)

    def _every(self, seconds: float, work: Callable[[], object]) -> None:
        while not self._stop.is_set():
            self._try(work)
            self._stop.wait(seconds)

    def _try(self, work: Callable[[], object]) -> bool:
        try:
            return bool(work())
        except RollbackAgentError as error:
            get_log().error("will be tried again", work=threading.current_thread().name, error=str(error))
        except Exception:
            get_log().exception("failed unexpectedly, will be tried again", work=threading.current_thread().name)
        self._stop.wait(1.0)
        return False
