"""Counts the distinct users of the last five minutes, and those of them who met an error."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

WINDOW = 300.0
"""Seconds for which a request counts."""
MAX_USERS = 100_000
"""Users counted at a time for each deployment (some 20 MB); others are left out, and that is counted."""


class Users:
    """The exact sets of one deployment; a hash stands for each user, so that no name stays in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_users: int = MAX_USERS) -> None:
        self._clock = clock
        self._max_users = max_users
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._affected: OrderedDict[int, float] = OrderedDict()
        self.dropped = 0

    def saw(self, user: str, *, failed: bool) -> None:
        """Note a request of `user` that was answered now."""
        key = hash(user)
        self._forget_old()
        if key not in self._seen and len(self._seen) >= self._max_users:
            self.dropped += 1
            return
        self._note(self._seen, key)
        if failed:
            self._note(self._affected, key)

    def count(self) -> tuple[int, int]:
        """How many users there were in the window, and how many of them met an error in it."""
        self._forget_old()
        return len(self._seen), len(self._affected)

    def _note(self, times: OrderedDict[int, float], key: int) -> None:
        times[key] = self._clock()
        times.move_to_end(key)

    def _forget_old(self) -> None:
        begin = self._clock() - WINDOW
        for times in (self._seen, self._affected):
            while times and next(iter(times.values())) <= begin:
                times.popitem(last=False)
