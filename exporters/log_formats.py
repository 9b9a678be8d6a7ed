"""Reads one line of an access log, in each of the formats that are known."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


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

WITH_DURATION = frozenset({Format.NGINX_JSON, Format.GUNICORN})
"""Formats whose lines can hold how long the response took."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request, its labels already bounded: a known method or OTHER, a status of 100 to 599 or `other`."""

    method: str
    code: str
    seconds: float | None = None
    user: str | None = None

    @property
    def failed(self) -> bool:
        return self.code.startswith("5")


def parse(log_format: Format, line: str, user_field: str | None) -> LoggedRequest | None:
    """The request that `line` tells of, or None if the line is not of the format."""
    return _PARSERS[log_format](line, user_field)


# Lengths are bounded where two unbounded parts would meet, so that no line costs quadratic time.
_COMBINED = (
    r'(?P<remote_addr>\S+) \S+ (?P<remote_user>.{1,256}?) \[[^\]]{1,64}\] "(?P<request>(?:[^"\\]|\\.)*)" '
    r"(?P<code>\d{3}) (?:\d+|-)"
)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_COMBINED_LINE = re.compile(rf"{_COMBINED}(?: .*)?", re.ASCII)
_GUNICORN_LINE = re.compile(
    rf'{_COMBINED} {_QUOTED} {_QUOTED}(?: "(?P<user>(?:[^"\\]|\\.)*)")?(?: (?P<microseconds>\d{{1,15}}))?',
    re.ASCII,
)
_UVICORN_LINE = re.compile(
    r'(?:.{0,128} )?(?:(?P<remote_addr>\S+):\d+)? - "(?P<request>[A-Z]+ .* HTTP/[0-9.]+)" '
    r"(?P<code>\d{3})(?: .*)?",
    re.ASCII,
)


def _by_pattern(pattern: re.Pattern[str]) -> Callable[[str, str | None], LoggedRequest | None]:
    def parse_line(line: str, user_field: str | None) -> LoggedRequest | None:
        found = pattern.fullmatch(line)
        if found is None:
            return None
        fields = found.groupdict()
        microseconds = fields.get("microseconds")
        return LoggedRequest(
            method=_method(fields["request"].partition(" ")[0]),
            code=_code(fields["code"]),
            seconds=int(microseconds) / 1e6 if microseconds else None,
            user=_user(fields.get(user_field) if user_field else None),
        )

    return parse_line


def _parse_nginx_json(line: str, user_field: str | None) -> LoggedRequest | None:
    try:
        fields = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not _is_status(fields.get("status")):
        return None
    return LoggedRequest(
        method=_method(fields.get("request_method")),
        code=_code(fields["status"]),
        seconds=_seconds(fields.get("request_time")),
        user=_user(fields.get(user_field) if user_field else None),
    )


_PARSERS: dict[Format, Callable[[str, str | None], LoggedRequest | None]] = {
    Format.COMBINED: _by_pattern(_COMBINED_LINE),
    Format.NGINX_JSON: _parse_nginx_json,
    Format.UVICORN: _by_pattern(_UVICORN_LINE),
    Format.GUNICORN: _by_pattern(_GUNICORN_LINE),
}


def _method(name: object) -> str:
    return name if isinstance(name, str) and name in METHODS else "OTHER"


def _is_status(value: Any) -> bool:
    return isinstance(value, (str, int)) and re.fullmatch(r"[0-9]{3}", str(value)) is not None


def _code(value: Any) -> str:
    code = str(value)
    return code if 100 <= int(code) <= 599 else "other"


def _seconds(value: Any) -> float | None:
    """A duration in seconds as nginx writes it; what is no duration is left out, the request still counts."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _user(name: object) -> str | None:
    """A dash or nothing is how all formats write that nobody was named."""
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        return None
    return str(name) if name not in ("", "-") else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
