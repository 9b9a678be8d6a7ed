"""Reads the last lines of an access log that tell of a 5xx, whatever of the known formats it has."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path

from receiver.redact import redact

TAIL = 4 << 20
"""Bytes at the end of the file that are looked at: of a busy service the last minutes."""
LONGEST_LINE = 500

# In text the status follows the request, which is the first that stands in quotes; in JSON it has its key.
_FAILED = re.compile(rb'^[^"]*+"[^"\\]*+(?:\\.[^"\\]*+)*+" 5\d\d(?!\S)|"status"[ \t]*:[ \t]*"?5\d\d\b')


def last_error_lines(log: Path, count: int) -> tuple[str, ...]:
    """The last `count` lines of the end of `log` whose status is 5xx, oldest first; raises OSError."""
    newest_first = (line for line in reversed(_tail(log).split(b"\n")) if _FAILED.search(line))
    return tuple(_readable(line) for line in islice(newest_first, count))[::-1]


def _tail(log: Path) -> bytes:
    """The whole lines at the end of the file."""
    # Not blocking, so that a pipe in the place of the log keeps nobody waiting.
    with os.fdopen(os.open(log, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= TAIL:
            return file.read(TAIL)
        file.seek(size - TAIL)
        return file.read(TAIL).partition(b"\n")[2]


def _readable(line: bytes) -> str:
    text = line.decode(errors="backslashreplace")
    printable = "".join(char if char.isprintable() else " " for char in text).strip()
    shown = str(redact(printable))
    return shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…"
