"""Counts the logged requests of one service by method, status and response time."""

from __future__ import annotations

import bisect
from collections import Counter
from itertools import product

from exporters.batch import Batch
from exporters.labels import code_label, method_label

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
        self._timed = 0
        self._at_most = [0] * len(BUCKETS)

    def add(self, batch: Batch) -> None:
        """Count the requests of `batch`."""
        for (method, code), count in batch.requests.items():
            self.requests[method_label(method), code_label(code)] += count
        self.unparsable_lines += batch.unparsable_lines
        self.seconds += sum(batch.seconds)
        self._timed += len(batch.seconds)
        # Sorting some hundred numbers once takes less than finding the bucket of each.
        in_order = sorted(batch.seconds)
        for index, bound in enumerate(BUCKETS):
            self._at_most[index] += bisect.bisect_right(in_order, bound)

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and cumulative count of each bucket, as the exposition format wants them."""
        counts = [float(count) for count in (*self._at_most, self._timed)]
        return list(zip([*map(str, BUCKETS), "+Inf"], counts, strict=True))
