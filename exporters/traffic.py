"""Counts the logged requests of one service by method, status and response time."""

from __future__ import annotations

import bisect
from collections import Counter
from itertools import accumulate, product

from exporters.log_formats import LoggedRequest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; the usual ones of Prometheus' client libraries."""

# A first error has to be an increase, and an increase needs a value before it: rate() does not see that a series
# began with 1. What is met more rarely than this loses what its first scrape counted.
EXPOSED_FROM_THE_START = tuple(product(("GET", "POST"), ("200", "500", "502", "503", "504")))


class Traffic:
    """The counters of one service since the exporter began to follow its logs."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter(dict.fromkeys(EXPOSED_FROM_THE_START, 0))
        self.unparsable_lines = 0
        self.seconds = 0.0
        self._in_bucket = [0] * (len(BUCKETS) + 1)

    def add(self, request: LoggedRequest) -> None:
        self.requests[request.method, request.code] += 1
        if request.seconds is not None:
            self.seconds += request.seconds
            self._in_bucket[bisect.bisect_left(BUCKETS, request.seconds)] += 1

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and cumulative count of each bucket, as the exposition format wants them."""
        bounds = [*map(str, BUCKETS), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self._in_bucket)), strict=True))
