"""Says how much time a probe has left, over all of its steps together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SCRAPE_MARGIN = 0.5
"""Seconds of the scrape timeout kept for sending the answer, as blackbox_exporter does."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on a monotonic clock."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, always more than 0; raises TimeoutError when there are none."""
        left = self.at - self.clock()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def or_after(self, seconds: float) -> Deadline:
        """This deadline, or the one `seconds` from now if that is earlier."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)


def probe_time(scrape_timeout: float) -> float:
    """Seconds that probes may take in a scrape that Prometheus gives up after `scrape_timeout` seconds."""
    return scrape_timeout - min(SCRAPE_MARGIN, scrape_timeout / 2)
