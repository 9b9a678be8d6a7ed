"""Reads log lines that are JSON objects, as nginx writes them."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from exporters.batch import Batch
from exporters.line_pattern import LinePattern

STATUS, METHOD, DURATION = "status", "request_method", "request_time"
MAX_KEYS = 64
"""Keys of an object up to which a pattern is made of it."""

_SPACE = r"[ \t]*+"
_SIMPLE = r'[^"\\\x00-\x1f]*+'
_STRING = rf'"{_SIMPLE}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_SIMPLE})*"'
_OTHER_VALUE = r"(?:-?(?:0|[1-9]\d{0,300})(?:\.\d{1,300})?(?:[eE][+-]?\d{1,300})?|true|false|null)"


class JsonLines:
    """Reads lines of JSON objects.

    A server writes all its lines alike: the same keys in the same order. So the keys of a line that was read make
    a pattern for those that follow, which reads them several times as fast; what does not match it is read as JSON.
    """

    def __init__(self, user_field: str | None) -> None:
        self._user_field = user_field
        self._alike: LinePattern | None = None

    def read(self, block: bytes) -> Batch:
        batch = Batch()
        found = self._alike.read(block, batch) if self._alike else 0
        if found == block.count(b"\n"):
            return batch
        rest = self._alike.pattern.sub(b"", block) if self._alike and found else block
        last, others = b"", 0
        for line in rest.split(b"\n"):
            if self._read_one(line, batch):
                last, others = line, others + 1
        if others > found:
            self._alike = _alike(last, self._user_field)
        return batch

    def _read_one(self, line: bytes, batch: Batch) -> bool:
        """Add one line to `batch`; returns whether it was a request."""
        if not line.strip():
            return False
        try:
            fields = json.loads(line.decode(errors="surrogateescape"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict) or not _is_status(fields.get(STATUS)):
            batch.unparsable_lines += 1
            return False
        codes = [str(fields[STATUS]).encode()]
        batch.add([_bytes(fields.get(METHOD))], codes)
        seconds = _seconds(fields.get(DURATION))
        if seconds is not None:
            batch.seconds.append(seconds)
        if self._user_field is not None:
            batch.add_users([_bytes(fields.get(self._user_field))], codes)
        return True


def _alike(line: bytes, user_field: str | None) -> LinePattern | None:
    """A pattern of lines with the keys of `line` and the same types of values; None where it would not be exact."""
    fields: list[tuple[str, Any]] = json.loads(line.decode(errors="replace"), object_pairs_hook=list)
    keys = [key for key, _ in fields]
    nested = any(isinstance(value, list) for _, value in fields)
    if nested or len(keys) > MAX_KEYS or len(set(keys)) < len(keys) or user_field in (STATUS, METHOD, DURATION):
        return None
    members = [
        _SPACE.join(["", re.escape(json.dumps(key, ensure_ascii=False)), ":", _value(key, value, user_field), ""])
        for key, value in fields
    ]
    # A line without a method has an empty group for it, so that all patterns have the same groups.
    no_method = "" if any(key == METHOD and isinstance(value, str) for key, value in fields) else "(?P<method>)"
    text = rf"^{_SPACE}\{{{no_method}{','.join(members)}\}}{_SPACE}\r?$"
    try:
        pattern = re.compile(text.encode(), re.MULTILINE)
    except UnicodeEncodeError:  # a key with half of a surrogate pair, which no line holds as it is
        return None
    return LinePattern(pattern, units_per_second=1) if pattern.fullmatch(line) else None


def _value(key: str, value: object, user_field: str | None) -> str:
    """What a value of this key looks like; what is wanted of it is simple enough to need no decoding."""
    quote = '"' if isinstance(value, str) else ""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key == STATUS:
        pattern = r'"(?P<code>\d{3})"' if quote else r"(?P<code>[1-9]\d\d)"
    elif key == METHOD and quote:
        pattern = rf'"(?P<method>{_SIMPLE})"'
    elif key == DURATION and (quote or number):
        pattern = rf"{quote}(?P<duration>(?:0|[1-9]\d{{0,8}})(?:\.\d{{1,9}})?){quote}"
    elif key == user_field and (quote or number):
        pattern = rf'"(?P<user>{_SIMPLE})"' if quote else r"(?P<user>-?(?:0|[1-9]\d{0,18}))"
    elif key in (METHOD, DURATION, user_field):
        pattern = "(?:true|false|null)"  # a line that has a number here is read as JSON
    else:
        pattern = _STRING if quote else _OTHER_VALUE
    return pattern


def _bytes(value: object) -> bytes:
    """A method or a user as the line has it; nothing where it is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return b""
    try:
        return str(value).encode(errors="surrogateescape")  # what was no UTF-8 in the line is no other user by that
    except UnicodeEncodeError:
        return str(value).encode(errors="replace")


def _is_status(value: Any) -> bool:
    return isinstance(value, (str, int)) and re.fullmatch(r"[0-9]{3}", str(value)) is not None


def _seconds(value: Any) -> float | None:
    """A duration in seconds as nginx writes it; what is no duration is left out, the request still counts."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
