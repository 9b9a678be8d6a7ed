"""What the configuration says of the agent's log."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from configfile import Integer, Section


class LogLevel(StrEnum):
    """From which level on lines are logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Log(Section):
    """What is logged, and how much of it is kept: the file and `keep` full ones before it."""

    level: LogLevel = LogLevel.INFO
    max_bytes: Integer = Field(default=10_000_000, ge=1_000)
    keep: Integer = Field(default=5, ge=1, le=1_000)
