"""Says once, and then at most once a minute, what is said again and again: what fails is tried again many times."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

PERIOD = 60.0
"""Seconds for which a line is not repeated."""
_LINES = 1000
"""How many different lines are kept in mind; the one that was said longest ago is forgotten first."""
_REPEATED = frozenset({"warning", "error", "critical"})


@dataclass(slots=True)
class _Said:
    at: float
    left_out: int = 0


class Repeats:
    """Drops a warning or an error that says the same as one of the last minute; the next tells how many were.

    A structlog processor; `monotonic` gives seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, _logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """The line, or DropEvent where it was said a moment ago."""
        if event["level"] not in _REPEATED:
            return event
        line, now = repr(sorted(event.items())), self._monotonic()
        with self._lock:
            before = self._said.pop(line, None)
            if before is not None and now - before.at < PERIOD:
                before.left_out += 1
                self._said[line] = before
                raise structlog.DropEvent
            self._said[line] = _Said(now)
            if len(self._said) > _LINES:
                self._said.popitem(last=False)
        if before is not None and before.left_out:
            event["repeated"] = before.left_out
        return event
