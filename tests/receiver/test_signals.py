"""Each signal has a bad way, and a share has changed only where it moved by more than a tenth."""

from __future__ import annotations

import pytest

from receiver.model import History, Signal
from receiver.signals import worsened, worst

AVAILABILITY, ERRORS = "deployment:availability:ratio", "service:http_request_errors:ratio_rate1m"
RATE, AFFECTED = "service:http_requests:rate1m", "deployment:users_affected:ratio"


@pytest.mark.parametrize(
    ("name", "was", "now", "is_worse"),
    [
        (AVAILABILITY, 0.5, 0.39, True),
        (AVAILABILITY, 0.5, 0.41, False),
        (AVAILABILITY, 0.5, 1.0, False),
        (ERRORS, 0.3, 0.41, True),
        (ERRORS, 0.3, 0.39, False),
        (ERRORS, 0.3, 0.0, False),
        (AVAILABILITY, None, 0.0, False),
        (AVAILABILITY, 0.5, None, False),
        (RATE, 0.0, 100.0, False),
        (AFFECTED, 0.0, 1.0, False),
    ],
)
def test_what_is_worse(name: str, was: float | None, now: float | None, is_worse: bool) -> None:
    """Only shares of the last minute are compared; what was or is not known is neither better nor worse."""
    found = worsened((Signal(name, "flask", was, 1.0),), (Signal(name, "flask", now, 2.0),))
    assert bool(found) is is_worse


def test_services_are_compared_with_themselves() -> None:
    """Another service's value is no "before", and a signal that was not there is not worse."""
    before = (Signal(ERRORS, "flask", 0.0, 1.0), Signal(ERRORS, "gradio", 0.5, 1.0))
    after = (Signal(ERRORS, "flask", 0.5, 2.0), Signal(ERRORS, "gradio", 0.5, 2.0), Signal(ERRORS, "new", 0.5, 2.0))
    assert worsened(before, after) == (f'{ERRORS}{{service="flask"}}',)


def test_the_worst_is_the_lowest_or_the_highest() -> None:
    """By the way that is bad, with its moment, between the two moments; what has no bad way has no worst."""
    points = ((1.0, 0.9), (2.0, 0.4), (3.0, 0.6), (4.0, 0.1))
    history = [History(name, None, points) for name in (RATE, AVAILABILITY, ERRORS)]
    assert worst(history, 1.0, 3.0) == (Signal(AVAILABILITY, None, 0.4, 2.0), Signal(ERRORS, None, 0.9, 1.0))
    assert worst(history, 5.0, 6.0) == ()
