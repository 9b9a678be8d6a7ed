"""Requests are counted by method and status, response times in cumulative buckets."""

from __future__ import annotations

from exporters.log_formats import LoggedRequest
from exporters.traffic import BUCKETS, Traffic


def test_response_time_counts_up_to_its_bound() -> None:
    """A bucket holds what is at most its bound, and each bucket holds the ones before it."""
    traffic = Traffic()
    for seconds in (0.0, BUCKETS[0], 0.006, BUCKETS[-1], 11.0):
        traffic.add(LoggedRequest("GET", "200", seconds))
    buckets = dict(traffic.buckets())
    assert (buckets["0.005"], buckets["0.01"], buckets["5.0"], buckets["10.0"], buckets["+Inf"]) == (2, 3, 3, 4, 5)
    assert traffic.seconds == BUCKETS[0] + 0.006 + BUCKETS[-1] + 11.0


def test_request_without_response_time_counts_as_request_only() -> None:
    """A line that holds no response time adds to no bucket."""
    traffic = Traffic()
    traffic.add(LoggedRequest("PUT", "other"))
    assert traffic.requests["PUT", "other"] == 1
    assert set(dict(traffic.buckets()).values()) == {0}


def test_first_errors_have_a_value_before_them() -> None:
    """The usual errors are 0 from the start, so that the first of them is an increase."""
    requests = Traffic().requests
    assert {requests[method, code] for method in ("GET", "POST") for code in ("500", "502", "503", "504")} == {0}
    assert ("GET", "500") in requests
    assert len(requests) == 10
