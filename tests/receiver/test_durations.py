"""Durations and moments are written so that a person reads them at a glance."""

from __future__ import annotations

import pytest

from receiver.durations import clock_time, in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0:00:00"),
        (0.4, "0:00:00"),
        (59.6, "0:01:00"),
        (190, "0:03:10"),
        (3599, "0:59:59"),
        (3600, "1:00:00"),
        (86400 * 4 + 61, "96:01:01"),
        (-5, "0:00:00"),
    ],
)
def test_duration_in_words(seconds: float, words: str) -> None:
    """Hours, minutes and seconds, rounded; a duration that seems negative is none."""
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("at", "text"),
    [(1_795_446_245.9, "2026-11-23 15:04:05Z"), (0, "1970-01-01 00:00:00Z"), (None, "-")],
)
def test_clock_time_is_utc(at: float | None, text: str) -> None:
    """A moment is told in UTC whatever the machine's time zone, and a dash where there is none."""
    assert clock_time(at) == text
