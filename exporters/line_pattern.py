"""Reads whole blocks of log lines with one regular expression: a call a line would cost more than the match."""

from __future__ import annotations

import re

from exporters.batch import Batch


class LinePattern:
    """A pattern of a whole line with the groups `method` and `code`, and `duration` and `user` where wanted."""

    def __init__(self, pattern: re.Pattern[bytes], units_per_second: int) -> None:
        self.pattern = pattern
        self._units_per_second = units_per_second
        self._column = {name: index - 1 for name, index in pattern.groupindex.items()}

    def read(self, block: bytes, batch: Batch) -> int:
        """Add the requests of all lines that match to `batch`; returns how many these are."""
        rows = self.pattern.findall(block)
        if not rows:
            return 0
        columns = list(zip(*rows, strict=True))
        codes = columns[self._column["code"]]
        batch.add(columns[self._column["method"]], codes)
        if "duration" in self._column:
            durations = columns[self._column["duration"]]
            batch.seconds += [float(duration) / self._units_per_second for duration in durations if duration]
        if "user" in self._column:
            batch.add_users(columns[self._column["user"]], codes)
        return len(rows)
