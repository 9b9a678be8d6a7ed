"""A webhook body is read for what it is worth: garbage is refused with a reason, a bad alert loses only itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.errors import BadNotification
from receiver.webhook import MAX_BYTES, parse

ALERT = {
    "status": "firing",
    "labels": {"alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down", "rank": "1"},
    "annotations": {"summary": "fastapi is down"},
    "startsAt": "2026-11-23T15:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph",
    "fingerprint": "0123456789abcdef",
}
KEPT = {"status": "firing", "alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down"}


def body(*alerts: object, **top: Any) -> bytes:
    """A notification as Alertmanager writes it."""
    return json.dumps({"version": "4", "receiver": "agent", "status": "firing", "alerts": alerts, **top}).encode()


def nested(depth: int) -> bytes:
    """A notification that is `depth` containers deep; the body itself is the first."""
    return body(ALERT).replace(b'"receiver": "agent"', b'"receiver": ' + b"[" * (depth - 1) + b"]" * (depth - 1))


def test_only_what_is_needed_is_kept_of_an_alert() -> None:
    """Status and the labels that name the alert are kept; annotations, addresses and times never reach the journal."""
    assert parse(body(ALERT)) == ([KEPT], 0, 0)


def test_unknown_fields_are_ignored() -> None:
    """Fields that newer versions of Alertmanager add change nothing."""
    assert parse(body({**ALERT, "new": [1]}, notification_reason="x", routeLabels={"a": "b"})) == ([KEPT], 0, 0)


def test_notification_without_alerts_is_accepted() -> None:
    """An empty list is a valid notification with nothing in it."""
    assert parse(body()) == ([], 0, 0)


@pytest.mark.parametrize(
    ("raw", "status", "text"),
    [
        (b"", 400, "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"hello", 400, "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"version": "4"', 400, "the body is not JSON: Expecting ',' delimiter: line 1 column 16 (char 15)"),
        (b"[]", 400, "the body is not a JSON object"),
        (b'"4"', 400, "the body is not a JSON object"),
        (b"{}", 400, 'version None is not supported, only Alertmanager\'s "4"'),
        (body(ALERT, version="3"), 400, "version '3' is not supported, only Alertmanager's \"4\""),
        (body(ALERT, version=4), 400, 'version 4 is not supported, only Alertmanager\'s "4"'),
        (b'{"version": "4"}', 400, "the body holds no list 'alerts'"),
        (b'{"version": "4", "alerts": null}', 400, "the body holds no list 'alerts'"),
        (b'{"version": "4", "alerts": {"0": {}}}', 400, "the body holds no list 'alerts'"),
        (b'{"version": "4", "x": "\xff"}', 400, "byte 23 of the body is not UTF-8"),
        (b'{"version": "4", "alerts": [], "x": NaN}', 400, "the body is not JSON: NaN is not JSON"),
        (b'{"version": "4", "alerts": [], "x": -Infinity}', 400, "the body is not JSON: -Infinity is not JSON"),
        (nested(65), 400, "the body is nested deeper than 64"),
        (b"[" * 100_000, 400, "the body is nested deeper than 64"),
        (b" " * (MAX_BYTES + 1), 413, "the body is larger than 1048576 bytes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_garbage_is_refused_with_a_reason(raw: bytes, status: int, text: str) -> None:
    """What is no notification gets the status and the sentence that say so."""
    with pytest.raises(BadNotification) as refusal:
        parse(raw)
    assert (refusal.value.status, str(refusal.value)) == (status, text)


def test_number_too_long_to_read_is_refused() -> None:
    """A number of ten thousand digits is refused instead of being converted."""
    with pytest.raises(BadNotification, match="the body is not JSON: Exceeds the limit"):
        parse(body(ALERT).replace(b'"agent"', b"9" * 10_000))


def test_depth_and_size_at_the_limit_are_accepted() -> None:
    """64 levels and exactly 1 MiB are still a notification."""
    assert parse(nested(64)) == ([KEPT], 0, 0)
    assert parse(body(ALERT).ljust(MAX_BYTES)) == ([KEPT], 0, 0)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "firing",
        {},
        {**ALERT, "status": "pending"},
        {**ALERT, "status": None},
        {**ALERT, "status": ["firing"]},
        {"status": "firing"},
        {**ALERT, "labels": None},
        {**ALERT, "labels": ["alertname"]},
        {**ALERT, "labels": {"alertname": 5}},
        {**ALERT, "labels": {**ALERT["labels"], "rank": None}},  # type: ignore[dict-item]
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_bad_alert_among_good_ones_loses_only_itself(bad: object) -> None:
    """The good alerts of a notification count, the bad one is counted as such; alone it is refused."""
    assert parse(body(ALERT, bad, ALERT)) == ([KEPT, KEPT], 1, 0)
    with pytest.raises(BadNotification, match="none of the 1 alerts has a status and labels"):
        parse(body(bad))


@pytest.mark.parametrize(
    ("told", "counted"), [(0, 0), (7, 7), (-3, 0), (10**30, 1_000_000), ("many", 0), (None, 0), (1.5, 0)]
)
def test_alerts_left_out_are_counted_within_bounds(told: object, counted: int) -> None:
    """The number of alerts that Alertmanager left out is kept as a number that every database can hold."""
    assert parse(body(ALERT, truncatedAlerts=told)) == ([KEPT], 0, counted)


@pytest.mark.parametrize("text", ["$(touch x)", "a\nb", "--upload-pack=x", "{{7*7}}", "\x1b[31m", "\N{SNOWMAN}", ""])
def test_label_is_kept_as_it_arrived(text: str) -> None:
    """Whatever a label says, it is text that is compared and never acted on, so it is kept unchanged."""
    [alert], _, _ = parse(body({"status": "resolved", "labels": {"alertname": text}}))
    assert alert == {"status": "resolved", "alertname": text}


def test_label_that_no_database_can_hold_is_made_storable() -> None:
    """NUL and half of a surrogate pair become question marks, and a very long label is cut."""
    labels = {"alertname": "a\0b\ud800c", "deployment": "x" * 5000}
    [alert], _, _ = parse(body({"status": "firing", "labels": labels}))
    assert alert == {"status": "firing", "alertname": "a?b?c", "deployment": "x" * 300}
