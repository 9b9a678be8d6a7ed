"""Counts the distinct users of the last five minutes, and those of them who met an error."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable

WINDOW = 300.0
"""Seconds for which a request counts."""
CAPACITY = 200_000
"""Keys that a sample holds at most (some 20 MB); up to so many distinct ones are counted exactly."""
SLOT = 10.0
"""Seconds after which a sample that had to leave keys out tries again to keep all."""
KEYS = 1 << 60
"""Keys are below this; an integer of 60 bits is the largest that Python keeps in 32 bytes."""


class Users:
    """The users of one deployment; a keyed hash stands for each, so that no name stays in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, capacity: int = CAPACITY) -> None:
        self._clock = clock
        # Who could foresee the hashes could choose names that are sampled, or a crowd that is not.
        self._secret = os.urandom(16)
        self._seen = Sample(capacity)
        self._affected = Sample(capacity)

    def saw(self, users: Iterable[bytes], affected: Iterable[bytes]) -> None:
        """Note that these users were answered now, and which of them with an error."""
        now = self._clock()
        self._seen.add(map(self._key, users), now)
        self._affected.add(map(self._key, affected), now)

    def count(self) -> tuple[int, int]:
        """How many users there were in the window, and how many of them met an error in it."""
        now = self._clock()
        seen, affected = self._seen.count(now), self._affected.count(now)
        return seen, min(affected, seen)

    def _key(self, user: bytes) -> int:
        return hash(self._secret + user) % KEYS


class Sample:
    """Distinct keys of the window: all while they fit, else the half, quarter, eighth, ... with the lowest numbers.

    Adaptive sampling (Wegman; Flajolet 1990, https://doi.org/10.1007/BF02241657): keys are hashes, so those below a
    limit are a fair sample, and their number times the inverse of their share estimates that of all.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._last_seen: dict[int, float] = {}
        self._halvings = 0
        self._last_add = 0.0
        self._try_again_at = 0.0
        self._sampled: deque[tuple[float, int]] = deque()
        """Until when, and at how many halvings, keys were left out before the current attempt to keep all."""

    def add(self, keys: Iterable[int], now: float) -> None:
        """Note the keys as seen now."""
        if self._halvings and now >= self._try_again_at:
            self._make_room(now)  # for those who come now: what is kept of the crowd leaves a quarter to them
            self._sampled.append((self._last_add, self._halvings))
            self._halvings = 0
        limit = KEYS >> self._halvings
        self._last_seen.update(dict.fromkeys([key for key in keys if key < limit], now))
        self._last_add = now
        if len(self._last_seen) > self._capacity:
            self._make_room(now)

    def count(self, now: float) -> int:
        """How many distinct keys were seen in the window before `now`."""
        begin = now - WINDOW
        while self._sampled and self._sampled[0][0] <= begin:
            self._sampled.popleft()
        # Only the share that was recorded during all of the window is known for all of it.
        halvings = max((halvings for until, halvings in (*self._sampled, self._current) if until > begin), default=0)
        self._forget_old(begin)
        limit = KEYS >> halvings
        return sum(1 for key in self._last_seen if key < limit) << halvings

    @property
    def _current(self) -> tuple[float, int]:
        return self._last_add, self._halvings

    def _make_room(self, now: float) -> None:
        if not self._halvings:
            self._try_again_at = now + SLOT
        self._forget_old(now - WINDOW)
        # A quarter becomes free, so that this is done once in many keys.
        while len(self._last_seen) > self._capacity * 3 // 4:
            self._halvings += 1
            limit = KEYS >> self._halvings
            self._last_seen = {key: at for key, at in self._last_seen.items() if key < limit}

    def _forget_old(self, begin: float) -> None:
        self._last_seen = {key: at for key, at in self._last_seen.items() if at > begin}
