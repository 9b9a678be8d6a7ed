"""Whose target is looked at next: who has waited longest, nobody twice at once, and those that hang by themselves."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping

SLOW = 2.0
"""Seconds from which on a look has hung; the next one of that deployment keeps none waiting that did not."""


class Turns:
    """The turns of deployments at being looked at, for several threads; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._under_way: set[str] = set()
        self._slow: set[str] = set()

    def take(self, periods: Mapping[str, float], *, slow: bool) -> str | None:
        """Whose turn it is, of those that hung the last time (`slow`) or of the others; None where it is nobody's.

        `periods` are the deployments that there are, with the seconds between two looks at each.
        """
        with self._lock:
            now = self._clock()
            # Only of what is configured: a deployment that is taken out and put back is looked at at once.
            self._began = {name: at for name, at in self._began.items() if name in periods}
            self._slow &= periods.keys()
            due = [
                (self._began.get(name, -math.inf) + period, name)
                for name, period in periods.items()
                if name not in self._under_way and (name in self._slow) is slow
            ]
            at, name = min(due, default=(math.inf, ""))
            if at > now:
                return None
            self._began[name] = now
            self._under_way.add(name)
            return name

    def give_back(self, name: str) -> None:
        """The look has ended, well or not."""
        with self._lock:
            self._under_way.discard(name)
            began = self._began.get(name)
            hung = began is not None and self._clock() - began >= SLOW
            (self._slow.add if hung else self._slow.discard)(name)
