"""The receiver's threads: who looks at the inbox, works on runs, calls humans, and looks around."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from receiver import earned
from receiver.errors import RollbackAgentError
from receiver.log import get_log
from receiver.observe import observe
from receiver.turns import Turns
from receiver.wiring import Parts
from receiver.workflow import LEASE

RUN_THREADS = 16
"""Targets hang and commands take their time, which holds a thread up and costs nothing; one of them looks for all."""
LOOK_THREADS = 4
"""Of those that look at releases; one more looks at those that hung."""
POLL = 0.25
"""Seconds between two looks at the journal: another process may have written to it (an approval, a request)."""
JOURNAL_LOOK = 5.0
"""Seconds between two looks whether the journal can be written."""
CLEAR_UP_EVERY = 3600.0
"""Seconds between two looks for what is beyond the limits of what is kept."""
GATHER = 0.25
"""Seconds after a look at the inbox in which notifications gather for the next: those of a storm go together.

No longer: from a notification to the command it is to take half a second at most.
"""
AUDIT_LOOK = 5.0
"""Seconds between two looks at the audit trail; shorter than Prometheus' own."""


class Workers:
    """Threads that work until they are stopped; what fails is logged and tried again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._notified = threading.Event()
        self._runnable = threading.Event()
        self._taking = threading.Lock()
        self._asked = threading.Event()
        self._threads: list[threading.Thread] = []
        self._turns = Turns(time.monotonic)

    def start(self) -> None:
        """Start all threads."""
        self._spawn("inbox", self._loop, self._inbox, self._notified)
        for number in range(RUN_THREADS):
            self._spawn(f"run-{number}", self._loop, self._run, threading.Event())
        self._spawn("escalate", self._loop, self._escalate, self._asked)
        threading.Thread(target=self._renew_leases, name="leases", daemon=True).start()
        self._spawn("reconcile", self._every, lambda: self._parts.current().config.reconcile_every, self._reconcile)
        self._spawn("earned", self._every, lambda: self._parts.current().config.reconcile_every, self._earned)
        self._spawn("journal", self._every, lambda: JOURNAL_LOOK, self._parts.journal_watch.look)
        self._spawn("retention", self._every, lambda: CLEAR_UP_EVERY, self._parts.sweep.work)
        self._spawn("audit", self._every, lambda: AUDIT_LOOK, self._parts.audit_watch.look)
        for number in range(LOOK_THREADS):
            self._spawn(f"observe-{number}", self._loop, partial(self._observe, slow=False), threading.Event())
        self._spawn("observe-slow", self._loop, partial(self._observe, slow=True), threading.Event())

    def notify(self) -> None:
        """Something was stored in the inbox."""
        self._notified.set()

    def stop(self, patience: float) -> bool:
        """Ask all threads to end and wait up to `patience` seconds; returns whether all have."""
        self._stop.set()
        self._parts.workflow.stop()
        self._notified.set()
        self._runnable.set()
        self._asked.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        self._ended.set()  # until now: what is still under way is left to the next start, and to no other replica
        return not any(thread.is_alive() for thread in self._threads)

    def _spawn(self, name: str, loop: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=loop, args=arguments, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _renew_leases(self) -> None:
        while not self._ended.is_set():
            self._try(self._parts.workflow.renew_leases)
            self._ended.wait(LEASE / 4)

    def _inbox(self) -> bool:
        began = self._parts.current().inbox.work_once()
        if began:
            self._runnable.set()
        self._stop.wait(GATHER)
        return False

    def _run(self) -> bool:
        """Work on what is due. One thread looks for it, for all that have nothing to do: each look is a write."""
        with self._taking:
            self._runnable.clear()
            run = self._parts.workflow.take()
            if run is None:
                if not self._stop.is_set():  # then those that have waited for their turn to look end at once
                    self._runnable.wait(POLL)
                return True
        self._parts.workflow.work_on(run)
        return True

    def _escalate(self) -> bool:
        return self._parts.current().escalator.work_once()

    def _reconcile(self) -> None:
        if self._parts.current().inbox.reconcile():
            self._runnable.set()

    def _earned(self) -> None:
        earned.look(self._parts.database, self._parts.audit, self._parts.current().config)

    def _observe(self, *, slow: bool) -> bool:
        setup = self._parts.current()
        periods = {name: world.settings.observe_every for name, world in setup.worlds.items()}
        name = self._turns.take(periods, slow=slow)
        if name is None:
            return False
        try:
            observe(setup.worlds[name], setup.prometheus)
        finally:
            self._turns.give_back(name)
        return True

    def _loop(self, work: Callable[[], bool], wake: threading.Event) -> None:
        """Work while there is some, then wait to be woken or for the next poll."""
        while not self._stop.is_set():
            wake.clear()
            if not self._try(work):
                wake.wait(POLL)

    def _every(self, period: Callable[[], float], work: Callable[[], object]) -> None:
        while not self._stop.is_set():
            self._try(work)
            began = time.monotonic()
            while (left := began + period() - time.monotonic()) > 0 and not self._stop.is_set():
                self._stop.wait(min(left, POLL))  # not for all of it: a reload may change the period

    def _try(self, work: Callable[[], object]) -> bool:
        try:
            return bool(work())
        except RollbackAgentError as error:
            get_log().error("will be tried again", work=threading.current_thread().name, error=str(error))
        except Exception:
            get_log().exception("failed unexpectedly, will be tried again", work=threading.current_thread().name)
        self._stop.wait(1.0)
        return False
