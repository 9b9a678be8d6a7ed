"""The kinds of values that the configuration holds: names, addresses, periods."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from configfile import Seconds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})")


def valid_name(value: str) -> str:
    """The name of a deployment or a release, unchanged; raises ValueError where it is none."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name; use letters, digits, dot, underscore, hyphen, at most 63")
    return value


def _listen_address(value: str) -> str:
    found = _LISTEN.fullmatch(value)
    if not found or not 0 <= int(found[1]) <= 65535:
        raise ValueError(f"{value!r} is not host:port, such as 127.0.0.1:9195")
    return value


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach what listens on `address`, as the configuration has it."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # any other name may resolve to anything


def _http_url(value: str) -> str:
    if "@" in value:
        raise ValueError("an address holds no user name or password")
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError(f"{value!r} is not an http:// or https:// address")
    return value.rstrip("/")


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than 0s")
    return value


def _person_name(value: str) -> str:
    if not value or not value.isprintable() or len(value) > 300:
        raise ValueError("a name is not empty, printable, and at most 300 characters long")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"{value!r} holds a character that cannot be printed")
    return value


Name = Annotated[str, AfterValidator(valid_name)]
PersonName = Annotated[str, AfterValidator(_person_name)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
Url = Annotated[str, AfterValidator(_http_url)]
Period = Annotated[Seconds, AfterValidator(_positive)]
AlertName = Annotated[str, Field(min_length=1), AfterValidator(_printable)]
