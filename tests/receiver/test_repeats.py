"""A line of the log that says the same again and again is said once, and then at most once a minute."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import structlog

from receiver.repeats import Repeats


class Said:
    """A logger with nothing but the repeats, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[dict[str, Any]] = []
        self._repeats = Repeats(lambda: self.now)

    def say(self, event: str, level: str = "error", **context: Any) -> None:
        with suppress(structlog.DropEvent):
            self.lines.append(dict(self._repeats(None, level, {"event": event, "level": level, **context})))


@pytest.fixture
def said() -> Said:
    return Said()


def test_the_same_is_said_once_a_minute_with_a_count(said: Said) -> None:
    """Four times a second for two minutes it is said three times, with how many were left out."""
    for quarter in range(481):
        said.now = quarter / 4
        said.say("failed", error="the disk is full")
    assert [line.get("repeated") for line in said.lines] == [None, 239, 239]


def test_what_is_not_the_same_is_always_said(said: Said) -> None:
    """Another error, another run or another level is another line."""
    for context in ({"error": "a"}, {"error": "b"}, {"error": "a", "run": "1"}, {"error": ["no", "hash"]}):
        said.say("failed", **context)
    said.say("failed", "warning", error="a")
    assert len(said.lines) == 5


def test_what_is_no_warning_is_always_said(said: Said) -> None:
    """A line that tells of work that was done is never left out."""
    for _ in range(3):
        said.say("done", "info")
    assert len(said.lines) == 3


def test_what_comes_back_after_a_while_counts_only_what_was_left_out(said: Said) -> None:
    """Said again long after, with nothing left out meanwhile, it is a plain line."""
    said.say("failed")
    said.now = 3600.0
    said.say("failed")
    assert [line.get("repeated") for line in said.lines] == [None, None]


def test_as_many_lines_as_there_are_need_no_more_memory(said: Said) -> None:
    """Ten thousand different lines keep a thousand in mind; the last of them is one of these, the first is not."""
    for number in range(10_000):
        said.say("failed", number=number)
    said.say("failed", number=9_999)
    said.say("failed", number=0)
    assert len(said.lines) == 10_001
