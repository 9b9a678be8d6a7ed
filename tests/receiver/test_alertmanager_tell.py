"""The Alertmanager client against a real Alertmanager: alerts of our own fire, end, and are refused with a sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from demo.monitoring import Server, start_alertmanager
from demo.processes import free_port, wait_until
from receiver.alertmanager import Alertmanager
from receiver.errors import AlertmanagerError, AlertRefused
from receiver.model import RaisedAlert
from tests.prometheus_versions import Version

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@pytest.fixture(scope="module")
def server(version: Version, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Alertmanager, of each version."""
    binary = version.program("prometheus-alertmanager")
    directory: Path = tmp_path_factory.mktemp("alertmanager")
    with start_alertmanager(directory, CONFIG, free_port(), binary=binary) as running:
        yield running


def alert(escalation: str, **changes: Any) -> RaisedAlert:
    """An alert that began a minute ago and fires for one more."""
    now = time.time()
    made = RaisedAlert(
        labels={"alertname": "RollbackNeedsHuman", "deployment": "qrl", "escalation": escalation},
        annotations={"summary": "qrl needs a human", "facts": 'two\nlines, "quoted", \u2713 {{ .Labels }}'},
        starts_at=now - 60,
        ends_at=now + 60,
        link="http://127.0.0.1:9195/incidents/1",
    )
    return replace(made, **changes)


def firing(server: Server, escalation: str) -> list[dict[str, Any]]:
    """What Alertmanager has of the alert."""
    parameters = {"filter": f'escalation="{escalation}"'}
    found: list[dict[str, Any]] = requests.get(f"{server.url}/api/v2/alerts", params=parameters, timeout=30).json()
    return found


def test_an_alert_fires_with_all_that_it_says(server: Server) -> None:
    """Labels, annotations and link arrive as they are."""
    told = alert("a")

    Alertmanager(server.url, 5.0).tell(told)

    (seen,) = firing(server, "a")
    assert (seen["labels"], seen["annotations"]) == (told.labels, told.annotations)
    assert seen["generatorURL"] == told.link
    assert seen["endsAt"] > seen["startsAt"]


def test_an_alert_without_a_link_fires_too(server: Server) -> None:
    """Not everybody says where people reach the agent."""
    Alertmanager(server.url, 5.0).tell(alert("no link", link=None))
    assert firing(server, "no link")


def test_an_alert_ends_when_its_end_is_told(server: Server) -> None:
    """It fires no more, although it was told before that it would for longer."""
    client = Alertmanager(server.url, 5.0)
    client.tell(alert("b"))
    assert firing(server, "b")

    client.tell(alert("b", ends_at=time.time()))

    assert wait_until(lambda: firing(server, "b") == [], 60)


def test_an_alert_that_is_told_again_lives_on(server: Server) -> None:
    """Without that it ends at the end that was told last."""
    client = Alertmanager(server.url, 5.0)
    for escalation in ("c", "d"):
        client.tell(alert(escalation, ends_at=time.time() + 1))
    client.tell(alert("d"))

    assert wait_until(lambda: firing(server, "c") == [], 60)
    assert firing(server, "d")


def test_a_bad_alert_is_refused_with_a_sentence(server: Server) -> None:
    """One that ends before it begins is the alert's fault and not Alertmanager's."""
    with pytest.raises(AlertRefused, match=r"Alertmanager at .* answered 400 to an alert: .*start time must be before"):
        Alertmanager(server.url, 5.0).tell(alert("e", ends_at=time.time() - 120))


def test_nobody_there_took_nothing() -> None:
    """An Alertmanager that is down is an error, and not the alert's."""
    with pytest.raises(AlertmanagerError, match=r"cannot be asked: .*refused") as raised:
        Alertmanager("http://127.0.0.1:1", 1.0).tell(alert("f"))
    assert not isinstance(raised.value, AlertRefused)


@contextmanager
def answering(status: int, body: bytes, length: int | None = None) -> Iterator[str]:
    """A server that answers every POST so, in Alertmanager's place."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as standing_in:
        Thread(target=standing_in.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{standing_in.server_port}"
        standing_in.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "is_refused"),
    [
        (400, b'"no labels"', True),
        (413, b"too\n  large", True),
        (422, b"", True),
        (302, b"", False),
        (401, b"who are you?", False),
        (404, b"<html>", False),
        (429, b"later", False),
        (500, b'"no disk"', False),
        (503, b"\xff", False),
    ],
)
def test_what_is_no_yes_took_nothing(status: int, body: bytes, is_refused: bool) -> None:
    """Any answer but 200 is an error that quotes it; only some of them say that it is this alert."""
    with answering(status, body) as url, pytest.raises(AlertmanagerError, match=f"answered {status} to an alert") as no:
        Alertmanager(url, 5.0).tell(alert("g"))
    assert isinstance(no.value, AlertRefused) is is_refused
    assert " ".join(body.decode(errors="backslashreplace").split()) in str(no.value)


def test_a_long_no_is_cut() -> None:
    """A page of an error is not a log line."""
    with answering(500, b"x" * 10_000) as url, pytest.raises(AlertmanagerError) as no:
        Alertmanager(url, 5.0).tell(alert("h"))
    assert len(str(no.value)) < 500


def test_half_an_answer_is_none() -> None:
    """A 200 whose body never comes says nothing."""
    with answering(200, b"", length=5) as url, pytest.raises(AlertmanagerError, match="cannot be asked"):
        Alertmanager(url, 5.0).tell(alert("i"))


def test_an_empty_yes_is_one() -> None:
    """Alertmanager says nothing beside the 200."""
    with answering(200, b"") as url:
        Alertmanager(url, 5.0).tell(alert("j"))
