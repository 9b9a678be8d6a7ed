"""Reads blocks of access log lines, in each of the formats that are known."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Protocol

from exporters.batch import Batch, count_lines
from exporters.json_lines import JsonLines
from exporters.line_pattern import LinePattern


class Format(StrEnum):
    """The formats of access logs."""

    COMBINED = "combined"
    NGINX_JSON = "nginx_json"
    UVICORN = "uvicorn"
    GUNICORN = "gunicorn"


USER_FIELDS: dict[Format, tuple[str, ...] | None] = {
    Format.COMBINED: ("remote_user", "remote_addr"),
    Format.NGINX_JSON: None,  # any key
    Format.UVICORN: ("remote_addr",),
    Format.GUNICORN: ("user", "remote_user", "remote_addr"),
}
"""Fields of each format that can name the user."""

READ_FROM_TEXT = frozenset({"method", "code", "duration"})
"""What every text format is read for; of the other groups of its pattern only the one that names the user."""

WITH_DURATION = frozenset({Format.NGINX_JSON, Format.GUNICORN})
"""Formats whose lines can hold how long the response took."""


class Reader(Protocol):
    """Reads blocks of whole lines, each ended by a newline; no line of any content makes it raise."""

    def read(self, block: bytes) -> Batch: ...


def reader_of(log_format: Format, user_field: str | None) -> Reader:
    """A reader of one log; `user_field` names the field that holds the user."""
    if log_format is Format.NGINX_JSON:
        return JsonLines(user_field)
    return TextLines(_PATTERNS[log_format], user_field)


# Lengths are bounded where two unbounded parts would meet, so that no line costs quadratic time. Nothing matches a
# newline, so that no match leaves its line.
_REST_OF_QUOTED = r'[^"\\\n]*+(?:\\.[^"\\\n]*+)*"'
_COMBINED = (
    r"^(?P<remote_addr>\S++) \S++ (?P<remote_user>.{1,256}?) \[[^\]\n]{1,64}+\] "
    rf'"(?:(?P<method>[A-Z]{{3,7}})(?=[ "]))?{_REST_OF_QUOTED} (?P<code>\d{{3}}) (?:\d++|-)'
)
_PATTERNS = {
    Format.COMBINED: rf"{_COMBINED}(?: .*+)?\r?$",
    Format.GUNICORN: (
        rf'{_COMBINED} "{_REST_OF_QUOTED} "{_REST_OF_QUOTED}'
        r'(?: "(?P<user>[^"\\\n]*+(?:\\.[^"\\\n]*+)*)")?(?: (?P<duration>\d{1,15}))?\r?$'
    ),
    Format.UVICORN: (
        r'^(?:.{0,128} )?(?:(?P<remote_addr>\S+):\d+)? - "(?P<method>[A-Z]+) .* HTTP/[0-9.]+" '
        r"(?P<code>\d{3})(?: .*)?\r?$"
    ),
}


class TextLines:
    """Reads lines by the pattern of their format."""

    def __init__(self, pattern: str, user_field: str | None) -> None:
        def group(found: re.Match[str]) -> str:
            if found[1] == user_field:
                return "?P<user>"
            return found[0] if found[1] in READ_FROM_TEXT else "?:"

        wanted = re.sub(r"\?P<(\w+)>", group, pattern)
        self._lines = LinePattern(re.compile(wanted.encode(), re.MULTILINE), units_per_second=1_000_000)

    def read(self, block: bytes) -> Batch:
        batch = Batch()
        found = self._lines.read(block, batch)
        if found != block.count(b"\n"):
            batch.unparsable_lines = count_lines(block) - found
        return batch
