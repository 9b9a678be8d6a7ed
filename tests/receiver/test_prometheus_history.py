"""The signals' past, as a real Prometheus has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from receiver.prometheus import HISTORY_POINTS
from tests.receiver.monitored import Monitored, await_signals, series

AVAILABILITY, HEALTH = "deployment:availability:ratio", "service:availability:ratio"


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with ExitStack() as stack:
        yield Monitored(tmp_path_factory.mktemp("prometheus"), stack)


def test_it_tells_how_the_signals_went(monitored: Monitored) -> None:
    """All signals of the deployment between the two moments, by name and service, without what is no number."""
    began = time.time()
    await_signals(
        monitored, "past", series(AVAILABILITY, "past", 0.25), series(HEALTH, "past", "NaN", service="flask"),
        series("service:http_request_duration_seconds:mean1d", "past", 1, service="flask"),
    )  # fmt: skip
    await_signals(monitored, "other", series(AVAILABILITY, "other", 0.75))
    time.sleep(2)

    found = monitored.client().history("past", began, time.time())

    assert [(one.name, one.service) for one in found] == [(AVAILABILITY, None), (HEALTH, "flask")]
    assert {value for _, value in found[0].points} == {0.25}
    assert found[1].points == ()
    moments = [at for at, _ in found[0].points]
    assert moments == sorted(moments)
    assert all(began <= at <= time.time() for at in moments)


def test_a_long_past_has_no_more_points_than_can_be_shown(monitored: Monitored) -> None:
    """However far it goes back, Prometheus is asked for a bounded number of steps, and takes the question."""
    await_signals(monitored, "long", series(AVAILABILITY, "long", 1))
    now = time.time()
    (found,) = monitored.client().history("long", now - 30 * 86400, now)
    assert 1 <= len(found.points) <= HISTORY_POINTS + 1


def test_of_an_unknown_deployment_there_is_no_past(monitored: Monitored) -> None:
    """Nothing, rather than an error: the past is for reading, not for deciding."""
    now = time.time()
    assert monitored.client().history("nobody", now - 60, now) == ()
