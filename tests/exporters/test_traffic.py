"""Requests are counted by method and status, response times in cumulative buckets."""

from __future__ import annotations

from collections import Counter

import pytest

from exporters.batch import Batch
from exporters.traffic import BUCKETS, Traffic


def requests(*pairs: tuple[bytes, bytes]) -> Batch:
    return Batch(requests=Counter(pairs))


def test_response_time_counts_up_to_its_bound() -> None:
    """A bucket holds what is at most its bound, each bucket holds the ones before it, and batches add up."""
    traffic = Traffic()
    traffic.add(Batch(seconds=[11.0, BUCKETS[0], 0.0]))
    traffic.add(Batch(seconds=[0.006, BUCKETS[-1]]))
    buckets = dict(traffic.buckets())
    assert (buckets["0.005"], buckets["0.01"], buckets["5.0"], buckets["10.0"], buckets["+Inf"]) == (2, 3, 3, 4, 5)
    assert traffic.seconds == pytest.approx(BUCKETS[0] + 0.006 + BUCKETS[-1] + 11.0)


def test_request_without_response_time_counts_as_request_only() -> None:
    """A line that holds no response time adds to no bucket."""
    traffic = Traffic()
    traffic.add(requests((b"PUT", b"404")))
    assert traffic.requests["PUT", "404"] == 1
    assert set(dict(traffic.buckets()).values()) == {0}


def test_first_errors_have_a_value_before_them() -> None:
    """The usual errors are 0 from the start, so that the first of them is an increase."""
    counted = Traffic().requests
    assert {counted[method, code] for method in ("GET", "POST") for code in ("500", "502", "503", "504")} == {0}
    assert ("GET", "500") in counted
    assert len(counted) == 10


def test_unparsable_lines_add_up() -> None:
    """Each batch adds its lines that were not of the format."""
    traffic = Traffic()
    for lines in (2, 3):
        traffic.add(Batch(unparsable_lines=lines))
    assert traffic.unparsable_lines == 5
