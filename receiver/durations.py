"""Writes durations and moments for people."""

from __future__ import annotations

from datetime import UTC, datetime


def in_words(seconds: float) -> str:
    """Hours, minutes and seconds: 190 -> `0:03:10`."""
    whole = max(round(seconds), 0)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def clock_time(at: float | None) -> str:
    """A moment (Unix seconds) in UTC: `2026-11-23 15:04:05Z`; a dash for None."""
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
