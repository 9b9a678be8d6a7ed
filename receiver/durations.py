"""Writes durations and moments for people, and reads moments that they write."""

from __future__ import annotations

from datetime import UTC, date, datetime


def in_words(seconds: float) -> str:
    """Hours, minutes and seconds: 190 -> `0:03:10`."""
    whole = max(round(seconds), 0)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def signed_in_words(seconds: float | None) -> str:
    """The same with a minus for what is less than nothing, and a dash for None."""
    if seconds is None:
        return "-"
    return f"-{in_words(-seconds)}" if seconds < 0 else in_words(seconds)


def clock_time(at: float | None) -> str:
    """A moment (Unix seconds) in UTC: `2026-11-23 15:04:05Z`; a dash for None."""
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def unix_seconds(moment: object) -> float:
    """A moment in ISO 8601, in UTC where it names no zone; raises ValueError."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if not isinstance(moment, datetime):
        raise ValueError(f"{moment!r} is no moment such as 2026-11-30T13:05:00Z")  # noqa: TRY004 - pydantic's
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
