"""What a person would look at first."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.model.telemetry import Signal


@dataclass(frozen=True, slots=True)
class CheckedHealth:
    """What one health check found; `detail` says why it failed, and is empty where it did not."""

    service: str
    check: str
    kind: str
    success: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecentRelease:
    """A release that was live not long ago, with what a pipeline said of it (None: nobody said)."""

    id: str
    commit: str | None
    author: str | None
    live_since: float
    migration: str | None


@dataclass(frozen=True, slots=True)
class ErrorLines:
    """The last lines of an access log whose request was answered with 5xx, oldest first, without secrets."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a person would look at first, collected at one moment (Unix seconds)."""

    at: float
    checks: tuple[CheckedHealth, ...]
    signals: tuple[Signal, ...]
    releases: tuple[RecentRelease, ...]
    """Newest first."""
    error_lines: tuple[ErrorLines, ...]
    gaps: tuple[str, ...]
    """What could not be collected and why, a sentence each."""
