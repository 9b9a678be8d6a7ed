"""What a probe found: success, or the one reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a check failed; the value of the label `reason`."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    STATUS = "status"
    BODY = "body"
    EXIT_CODE = "exit_code"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one probe; `failure` is None for success."""

    failure: Reason | None = None
    detail: str = ""
    """For the log only: it may hold text of the target, which never becomes a label."""
    http_status: int = 0
    """0 if no response came, or for a probe that is not HTTP."""
