"""What a notification's body may hold, and what becomes of one that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from receiver import webhook
from receiver.inbox import Inbox
from receiver.journal import escalations
from receiver.model import Demand
from tests.receiver.serving import ALERT, BEARER, Receiver, notification, padded, pieces


def test_one_bad_alert_loses_only_itself(receiver: Receiver) -> None:
    """The good alerts of a notification are stored, the bad ones are counted and told."""
    bad: list[Any] = [
        {"status": "firing"},
        "alert",
        {"status": "odd", "labels": {}},
        {"status": "firing", "labels": {"a": 1}},
    ]

    answer = receiver.post(notification(ALERT, *bad, ALERT))

    assert (answer.status_code, answer.json()["alerts"], answer.json()["invalid"]) == (202, 2, 4)
    assert [len(alerts) for alerts in receiver.stored()] == [2]
    assert receiver.counted("rollback_alerts_total") == {"invalid": 4}


def test_a_chunked_body_is_read(receiver: Receiver) -> None:
    """A body without a length that comes in pieces is put together."""
    body = json.dumps(notification()).encode()

    assert receiver.post(iter([body[:10], body[10:20], body[20:]])).status_code == 202
    assert len(receiver.stored()) == 1


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the body is not JSON"),
    "not JSON": (b"ALERT!", "the body is not JSON"),
    "cut off": (json.dumps(notification()).encode()[:-1], "the body is not JSON"),
    "a list": (b"[]", "the body is not a JSON object"),
    "version 3": (json.dumps(notification(version="3")).encode(), "version '3' is not supported"),
    "a number as version": (json.dumps(notification(version=4)).encode(), "version 4 is not supported"),
    "no version": (b'{"alerts": []}', "version None is not supported"),
    "no alerts": (b'{"version": "4"}', "the body holds no list 'alerts'"),
    "alerts are no list": (b'{"version": "4", "alerts": {}}', "the body holds no list 'alerts'"),
    "no usable alert": (b'{"version": "4", "alerts": [1, {}]}', "none of the 2 alerts has a status and labels"),
    "not UTF-8": (b'{"version": "4", "alerts": [], "x": "\xff"}', "byte 37 of the body is not UTF-8"),
    "65 deep": (b'{"version": "4", "alerts": [], "x": ' + b"[" * 64 + b"]" * 64 + b"}", "nested deeper than 64"),
    "100000 deep": (b"[" * 100_000, "nested deeper than 64"),
    "NaN": (b'{"version": "4", "alerts": [], "x": NaN}', "NaN is not JSON"),
    "Infinity": (b'{"version": "4", "alerts": [], "x": -Infinity}', "-Infinity is not JSON"),
    "a huge number": (b'{"version": "4", "alerts": [], "x": ' + b"9" * 5000 + b"}", "the body is not JSON"),
}


@pytest.mark.parametrize(("body", "error"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_told_what_is_wrong(receiver: Receiver, body: bytes, error: str) -> None:
    """A body that cannot be used is 400 with the reason, stores nothing, and is counted (T11)."""
    answer = receiver.post(body)

    assert answer.status_code == 400
    assert error in answer.json()["error"]
    assert (receiver.stored(), receiver.told) == ([], [])
    assert receiver.counted() == {"invalid": 1}


def test_64_deep_is_not_too_deep(receiver: Receiver) -> None:
    """What is nested as deep as is allowed is accepted."""
    body = b'{"version": "4", "alerts": [], "x": ' + b"[" * 63 + b"]" * 63 + b"}"

    assert receiver.post(body).status_code == 202


@pytest.mark.parametrize("truncated", [10**30, -5, True, "many", None, 2**63])
def test_an_odd_number_of_truncated_alerts_loses_nothing(receiver: Receiver, truncated: object) -> None:
    """A count of left-out alerts that makes no sense does not cost the notification."""
    assert receiver.post(notification(truncatedAlerts=truncated)).status_code == 202
    assert len(receiver.stored()) == 1


TOO_LARGE: dict[str, Callable[[], Any]] = {
    "by one byte": lambda: padded(webhook.MAX_BYTES + 1),
    "far": lambda: padded(8 << 20),
    "chunked by one byte": lambda: pieces(padded(webhook.MAX_BYTES + 1)),
    "chunked far": lambda: pieces(padded(8 << 20)),
    "chunked in one piece": lambda: iter([padded(8 << 20)]),
}


@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_body_that_is_too_large_is_refused(receiver: Receiver, body: Callable[[], Any]) -> None:
    """More than 1 MiB is 413, with or without a Content-Length, and no beginning of it is taken for the whole (T11)."""
    answer = receiver.post(body())

    assert (answer.status_code, answer.json()) == (413, {"error": "the body is larger than 1048576 bytes"})
    assert receiver.stored() == []
    assert receiver.counted() == {"too_large": 1}


@pytest.mark.parametrize("make", [bytes, pieces], ids=["with length", "chunked"])
def test_exactly_one_mebibyte_is_accepted(receiver: Receiver, make: Callable[[bytes], Any]) -> None:
    """The largest body that is allowed is accepted."""
    assert receiver.post(make(padded(webhook.MAX_BYTES))).status_code == 202


def test_a_large_body_without_token_is_not_read(receiver: Receiver) -> None:
    """Somebody without the token cannot make the server take in more than it would read of a good one."""
    assert receiver.post(padded(8 << 20), authorization=None).status_code == 413


def test_more_than_the_server_takes_is_refused_by_the_server(receiver: Receiver) -> None:
    """A length far beyond anything is refused before a byte of the body is read."""
    answer = receiver.raw(
        b"POST /api/v1/alerts HTTP/1.1", b"Authorization: " + BEARER.encode(), b"Content-Length: 99999999999"
    )

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_text_that_no_database_stores_stops_no_notification(receiver: Receiver) -> None:
    """Labels with characters that UTF-8 or PostgreSQL cannot hold are accepted and still worked off."""
    odd = {"status": "firing", "labels": {"alertname": "a\ud800b\0c", "deployment": "x\udfff\0", "branch": ""}}
    assert receiver.post(notification(odd)).status_code == 202
    assert receiver.post(notification()).status_code == 202

    Inbox(receiver.database, Nothing(), {"qrl": None}).work_once()

    with receiver.database.read() as tx:
        (raised,) = escalations.find(tx)
    raised.summary.encode()
    assert "\0" not in raised.summary
    assert receiver.counted("rollback_alerts_total") == {"branch": 1, "unknown_deployment": 1}


class Nothing:
    """A Prometheus in which nothing fires."""

    def deciding(self) -> dict[str, Demand | None]:
        return {}

    def telemetry(self, deployment: str) -> str:
        return deployment
