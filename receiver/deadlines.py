"""Cuts off what takes too long, by one thread for all: where the process table is full no other can be started."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadlines:
    """Deadlines of any number of threads; the one that watches them is started with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._looks_at = math.inf
        self._watcher: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, cut_off: Callable[[], None]) -> Iterator[None]:
        """Call `cut_off`, from another thread, where the block has not ended within `seconds`."""
        key, at = object(), time.monotonic() + seconds
        with self._changed:
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._watcher.start()
            self._due[key] = (at, cut_off)
            if at < self._looks_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(key, None)

    def _watch(self) -> None:
        while True:
            for cut_off in self._overdue():
                cut_off()

    def _overdue(self) -> list[Callable[[], None]]:
        """What is to be cut off now; where nothing is, waits until something may be."""
        with self._changed:
            now = time.monotonic()
            overdue = [key for key, (at, _) in self._due.items() if at <= now]
            if not overdue:
                self._looks_at = min((at for at, _ in self._due.values()), default=math.inf)
                self._changed.wait(None if math.isinf(self._looks_at) else self._looks_at - now)
            return [self._due.pop(key)[1] for key in overdue]
