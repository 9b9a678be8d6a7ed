"""Moments and spans as a tired person reads them."""

from __future__ import annotations

import pytest

from receiver.web.words import ago, span, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (11100, "3 h 5 min"),
        (86400, "1 d"), (187200, "2 d 4 h"),
    ],
)  # fmt: skip
def test_a_span_has_two_units_at_most(seconds: float, text: str) -> None:
    """Never more precise than it is read, and never more than there is."""
    assert span(seconds) == text


def test_a_moment_is_told_from_now() -> None:
    """What was is ago, what will be is in, and what is within a second is now."""
    assert [ago(at, 1000.0) for at in (280.0, 999.5, 1000.0, 1000.9, 1180.0)] == [
        "12 min ago", "now", "now", "now", "in 3 min",
    ]  # fmt: skip


def test_words_of_the_code_are_spoken() -> None:
    """An underscore is a space."""
    assert spoken("no_effect") == "no effect"
