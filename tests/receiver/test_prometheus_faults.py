"""Whatever a faulty server answers in Prometheus' place is an error in one sentence, and never a fact."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from demo.processes import free_port
from receiver.errors import PrometheusError
from receiver.http_json import MAX_ANSWER
from receiver.model import Action, Demand
from receiver.prometheus import Prometheus

TIMEOUT = 0.5
LABELS = {"alertname": "X", "branch": "x", "rank": "1", "action": "rollback", "level": "fast", "confidence": "0.9"}
FIRING = {"metric": {"deployment": "qrl", **LABELS}, "value": [1.0, "1"]}
SUCCESS = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [FIRING]}}).encode()

Talk = Callable[[socket.socket, threading.Event], None]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Talk:
    """A server that gives this answer."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers)
    return lambda connection, _: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def data(**content: Any) -> Talk:
    """A server that gives a successful answer with this data."""
    return answer(json.dumps({"status": "success", **content}).encode())


def never(_: socket.socket, done: threading.Event) -> None:
    done.wait()


def stall(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    done.wait()


def drip(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not done.wait(0.05):
        connection.sendall(b" ")


def drip_headers(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not done.wait(0.05):
        connection.sendall(b"a")


def flood(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not done.is_set():
        connection.sendall(b" " * (1 << 20))


FAULTS: dict[str, tuple[Talk, str]] = {
    "500 without JSON": (answer(b"<h1>oh</h1>", "500 Oh"), r"at http://\S+ answered 500 without usable JSON"),
    "503 with its reason": (
        answer(b'{"status": "error", "error": "no TSDB"}', "503 No"),
        "Prometheus refused a query: no TSDB",
    ),
    "500 that looks like a success": (answer(SUCCESS, "500 Oh"), "it answered 500 and gave no reason"),
    "204": (answer(b"", "204 No Content"), "answered 204 without usable JSON"),
    "no JSON": (answer(b"up"), "answered 200 without usable JSON"),
    "no UTF-8": (answer(b'"\xff"'), "answered 200 without usable JSON"),
    "half a character": (data(data={"result": [{"metric": {"deployment": "\ud83d"}}]}), "without usable JSON"),
    "deep JSON": (answer(b"[" * 100_000), "answered 200 without usable JSON"),
    "a list": (answer(b"[]"), "without a JSON object"),
    "nothing in it": (answer(b"{}"), "Prometheus refused a query: it answered 200"),
    "no data": (data(), "answer is none to a query: data: "),
    "null for data": (data(data=None), "answer is none to a query: data: "),
    "null for the result": (data(data={"result": None}), r"answer is none to a query: data\.result: "),
    "a number for the result": (data(data={"result": [1.0, "1"]}), r"answer is none to a query: data\.result\.0: "),
    "a series without labels": (data(data={"result": [{}]}), r"data\.result\.0\.metric: "),
    "a sample without number": (
        data(data={"result": [{"metric": {}, "values": [[1.0, "much"]]}]}),
        r"data\.result\.0\.values\.0\.1: ",
    ),
    "only a part": (
        data(data={"result": []}, warnings=["remote storage is down"]),
        "Prometheus answered in part only: .*remote storage is down",
    ),
    "no HTTP": (lambda connection, _: connection.sendall(b"SSH-2.0\r\n"), r"at http://\S+ cannot be asked: .*SSH-2\.0"),
    "hung up": (lambda connection, _: connection.close(), "cannot be asked: .*(closed connection|reset by peer)"),
    "cut off": (
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        "cannot be asked: .*2 bytes read",
    ),
    "broken compression": (answer(SUCCESS, "200 OK", "Content-Encoding: gzip"), "cannot be asked: "),
    "too large": (flood, f"its answer is larger than {MAX_ANSWER} bytes"),
    "a compressed bomb": (
        answer(gzip.compress(b" " * (MAX_ANSWER * 4)), "200 OK", "Content-Encoding: gzip"),
        f"its answer is larger than {MAX_ANSWER} bytes",
    ),
    "no answer": (never, "cannot be asked: .*timed out"),
    "a stalled answer": (stall, "cannot be asked: .*timed out"),
    "a slow answer": (drip, "its answer did not end in time"),
    "a slow header": (drip_headers, "its answer did not end in time"),
}


@pytest.mark.parametrize(("talk", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_answer_is_an_error_with_its_reason(talk: Talk, sentence: str) -> None:
    """Each fault ends in time, in the client's own error, with a sentence that says what is wrong."""
    began = time.monotonic()
    with server(talk) as (url, _), pytest.raises(PrometheusError, match=sentence) as raised:
        # So much takes a busy machine longer to read than who waits for nothing is given.
        client(url, 25 if "larger" in sentence else TIMEOUT).deciding()

    assert time.monotonic() - began < 30
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("question", ["telemetry", "deciding", "quiet_for", "samples", "fired", "storm"])
def test_every_question_fails_alike(question: str) -> None:
    """No question takes a refused one for an empty result."""
    ask: dict[str, Callable[[Prometheus], object]] = {
        "telemetry": lambda prometheus: prometheus.telemetry("qrl"),
        "deciding": lambda prometheus: prometheus.deciding(),
        "quiet_for": lambda prometheus: prometheus.quiet_for("qrl", 60),
        "samples": lambda prometheus: prometheus.samples("qrl", "service:availability:ratio", 0),
        "fired": lambda prometheus: prometheus.fired("qrl", 0, 1),
        "storm": lambda prometheus: prometheus.storm(()),
    }
    with server(answer(b"", "502 Bad Gateway")) as (url, _), pytest.raises(PrometheusError, match="answered 502"):
        ask[question](client(url))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("body", [b"", SUCCESS])
def test_a_redirect_is_never_followed(status: str, body: bytes) -> None:
    """A redirect is an error, whatever its body says, and nothing arrives where it points (T8)."""
    with (
        server(answer(SUCCESS)) as (elsewhere, arrived),
        server(answer(body, status, f"Location: {elsewhere}/api/v1/query")) as (url, _),
        pytest.raises(PrometheusError, match=f"answered {status[:3]}"),
    ):
        client(url).deciding()

    assert arrived == []


def test_the_same_answer_in_good_order_is_taken() -> None:
    """The answer that these faults are variations of is one."""
    with server(answer(gzip.compress(SUCCESS), "200 OK", "Content-Encoding: gzip")) as (url, arrived):
        assert client(url).deciding() == {"qrl": Demand("x", Action.ROLLBACK)}

    assert len(arrived) == 1


def test_a_prometheus_that_is_not_there_is_told_with_its_address() -> None:
    """Where nobody listens the sentence names the address and the reason."""
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(PrometheusError, match=f"Prometheus at {url} cannot be asked: .*Connection refused"):
        client(url).deciding()


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configured address is asked itself, whatever proxy the environment names."""
    with server(answer(b"", "502 Bad Gateway")) as (proxy, arrived), server(answer(SUCCESS)) as (url, _):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.setenv("no_proxy", "")
        assert client(url).deciding() == {"qrl": Demand("x", Action.ROLLBACK)}

    assert arrived == []


def client(url: str, timeout: float = TIMEOUT) -> Prometheus:
    """The client under test, in a hurry."""
    return Prometheus(url, timeout, 10.0, time.time)


@contextmanager
def server(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """A server that does with each connection what `talk` says; its address, and the requests that arrived."""
    done = threading.Event()
    arrived: list[bytes] = []

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection, suppress(OSError):  # the client breaks off, as it should
                connection.settimeout(5)
                arrived.append(connection.recv(65536))
                talk(connection, done)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", arrived
        finally:
            done.set()
            thread.join()
