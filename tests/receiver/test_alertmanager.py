"""The Alertmanager client against a real Alertmanager: which silences cover an alert, and what is no answer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from demo.monitoring import start_alertmanager
from demo.processes import free_port, wait_until
from receiver.alertmanager import Alertmanager
from receiver.errors import AlertmanagerError
from receiver.model import Silence

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
NUMBERS = itertools.count()


class Served:
    """A real Alertmanager, to which a test tells silences and alerts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Alertmanager(url, 5.0)

    def silence(self, *matchers: dict[str, Any], begins: float = -60, ends: float = 3600) -> str:
        """Add a silence; its id."""
        now = time.time()
        body = {
            "matchers": [{"isRegex": False, "isEqual": True, **matcher} for matcher in matchers],
            "startsAt": datetime.fromtimestamp(now + begins, UTC).isoformat(),
            "endsAt": datetime.fromtimestamp(now + ends, UTC).isoformat(),
            "createdBy": "ada",
            "comment": "moving the database",
        }
        answer = requests.post(f"{self.url}/api/v2/silences", json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["silenceID"])

    def expire(self, silence: str) -> None:
        """End a silence now."""
        requests.delete(f"{self.url}/api/v2/silence/{silence}", timeout=30).raise_for_status()

    def alert(self, **labels: str) -> None:
        """Tell of a firing alert, as Prometheus would."""
        requests.post(f"{self.url}/api/v2/alerts", json=[{"labels": labels}], timeout=30).raise_for_status()

    def covers(self, labels: dict[str, str]) -> list[str]:
        """The ids of the silences that cover an alert."""
        return [silence.id for silence in self.client.active_silences(labels)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with start_alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG, free_port()) as server:
        yield Served(server.url)


@pytest.fixture
def labels() -> dict[str, str]:
    """The labels of an alert of a deployment of its own."""
    return {
        "alertname": "ServiceDown",
        "deployment": f"qrl-{next(NUMBERS)}",
        "branch": "service_down",
        "odd": 'a"\\b',
        "town": "Köln",
    }


def test_a_silence_tells_who_why_and_until_when(served: Served, labels: dict[str, str]) -> None:
    """A silence of the deployment covers its alert, whether Alertmanager has the alert already or not."""
    id_ = served.silence({"name": "deployment", "value": labels["deployment"]})

    (before,) = served.client.active_silences(labels)
    served.alert(**labels)
    (after,) = served.client.active_silences(labels)

    assert before == after == Silence(id_, "ada", "moving the database", before.ends_at)
    assert before.ends_at == pytest.approx(time.time() + 3600, abs=30)


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown there", "known there"])
@pytest.mark.parametrize(
    ("matcher", "covers"),
    [
        ({"name": "branch", "value": "service_down"}, True),
        ({"name": "branch", "value": "service"}, False),
        ({"name": "branch", "value": "service.*", "isRegex": True}, True),
        ({"name": "branch", "value": "service", "isRegex": True}, False),
        ({"name": "branch", "value": "wide_impact|service_down", "isRegex": True}, True),
        ({"name": "branch", "value": "(?i)SERVICE_DOWN", "isRegex": True}, True),
        ({"name": "branch", "value": "[[:lower:]_]+", "isRegex": True}, True),
        ({"name": "branch", "value": r"\pL+_\pL+", "isRegex": True}, True),
        ({"name": "branch", "value": "wide_impact", "isEqual": False}, True),
        ({"name": "branch", "value": "service_down", "isEqual": False}, False),
        ({"name": "branch", "value": "wide.*", "isRegex": True, "isEqual": False}, True),
        ({"name": "branch", "value": "service.*", "isRegex": True, "isEqual": False}, False),
        ({"name": "cluster", "value": "eu"}, False),
        ({"name": "cluster", "value": "eu", "isEqual": False}, True),
        ({"name": "cluster", "value": "", "isEqual": True}, True),
        ({"name": "town", "value": r"\w+", "isRegex": True}, False),
        ({"name": "town", "value": "K.ln", "isRegex": True}, True),
        ({"name": "odd", "value": 'a"\\b'}, True),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_matchers_mean_what_they_mean_there(
    served: Served, labels: dict[str, str], matcher: dict[str, Any], covers: bool, is_known: bool
) -> None:
    """Equal or not, text or expression, a label that is missing: both ways of finding out agree."""
    if is_known:
        served.alert(**labels)
    id_ = served.silence({"name": "deployment", "value": labels["deployment"]}, matcher)

    assert served.covers(labels) == ([id_] if covers else [])


def test_no_expression_takes_for_ever(served: Served, labels: dict[str, str]) -> None:
    """One over which an engine that backtracks would sit for years is answered like any other."""
    served.silence(
        {"name": "deployment", "value": labels["deployment"]}, {"name": "long", "value": "([a-z]+)+!", "isRegex": True}
    )

    assert served.covers(labels | {"long": "a" * 63}) == []


def test_labels_that_only_alertmanager_knows_count(served: Served, labels: dict[str, str]) -> None:
    """A silence of what Prometheus adds when it sends, its `external_labels`, covers the alert once it is there."""
    id_ = served.silence({"name": "deployment", "value": labels["deployment"]}, {"name": "cluster", "value": "eu"})
    assert served.covers(labels) == []
    served.alert(**labels, cluster="eu")
    assert served.covers(labels) == [id_]


def test_a_silence_that_has_ended_or_not_begun_covers_nothing(served: Served, labels: dict[str, str]) -> None:
    """Only a silence of this moment counts, with the alert there and without."""
    of_this = {"name": "deployment", "value": labels["deployment"]}
    served.silence(of_this, begins=600)
    served.silence(of_this, ends=1)
    expired = served.silence(of_this)
    served.expire(expired)

    assert wait_until(lambda: served.covers(labels) == [], 60)
    served.alert(**labels)
    assert served.covers(labels) == []


def test_an_alertmanager_that_is_down_is_an_error() -> None:
    """Nobody there is not "nothing is silenced"."""
    with pytest.raises(AlertmanagerError, match=r"Alertmanager at http://127\.0\.0\.1:1 cannot be asked: .*refused"):
        Alertmanager("http://127.0.0.1:1", 1.0).active_silences({"alertname": "X"})


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b"oh", "answered 200 without usable JSON"),
        (200, b"{}", "Alertmanager's answer is none to alerts: : Input should be a valid tuple"),
        (200, b'[{"labels": {}}]', r"answer is none to alerts: 0\.status: "),
        (500, b'"no disk"', "answered 500 to alerts: no disk"),
        (302, b"[]", "answered 302 to alerts: "),
    ],
)
def test_what_is_no_answer_is_an_error(status: int, body: bytes, sentence: str) -> None:
    """Whatever else answers in its place is an error with a sentence."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(AlertmanagerError, match=sentence):
            Alertmanager(f"http://127.0.0.1:{server.server_address[1]}", 5.0).active_silences({"alertname": "X"})
        server.shutdown()
