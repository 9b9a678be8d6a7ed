"""Slow clients hold up neither a notification nor the server's threads."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from structlog.testing import capture_logs

from receiver.gathering import MOST_BODY
from receiver.server import MOST_WAITING, THREADS, make_server
from tests.receiver.serving import Receiver, notification, serving

HEAD = b"POST /api/v1/alerts HTTP/1.1\r\nHost: receiver\r\n"


def test_a_notification_gets_through_among_fifty_slow_clients(receiver: Receiver) -> None:
    """Fifty clients that never finish their request leave room for one that does (T12)."""
    host, port = receiver.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30)).sendall(HEAD)

        began = time.monotonic()
        answer = receiver.post(notification())

        assert (answer.status_code, time.monotonic() - began < 30) == (202, True)


SLOW = {
    "say nothing": b"",
    "send a part of the head": HEAD,
    "send a part of a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "send a part of a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\n{\r\n0\r\n\r\n",
    "send a part of a long body": HEAD + b"Content-Length: 1000000\r\n\r\n{",
    "send a part of the next request": b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_hold_no_thread(tmp_path: Path, sent: bytes) -> None:
    """More clients than there are threads, that leave off somewhere and are not cut off: others are answered (T12)."""
    with serving(tmp_path, request_time=3600.0) as receiver, ExitStack() as stack:
        host, port = receiver.url.removeprefix("http://").split(":")
        for _ in range(2 * THREADS):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            slow.sendall(sent)

        assert receiver.post(notification()).status_code == 202
        assert receiver.get("/-/healthy").status_code == 200


def test_of_too_many_who_waits_longest_is_cut_off(tmp_path: Path) -> None:
    """More connections than are kept cost the oldest ones, whose time is not up; a new one is served (T12)."""
    with serving(tmp_path, request_time=3600.0) as receiver, ExitStack() as stack:
        host, port = receiver.url.removeprefix("http://").split(":")
        first, *_ = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            for _ in range(MOST_WAITING + 1)
        ]
        first.settimeout(60)
        assert first.recv(1) == b""
        assert receiver.get("/-/healthy").status_code == 200


def test_who_waits_for_a_word_hears_it(receiver: Receiver) -> None:
    """A client that expects 100 before it sends the body is told once to go on, and then answered."""
    host, port = receiver.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(HEAD + b"Connection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert b"".join(iter(lambda: client.recv(1000), b"")).startswith(b"HTTP/1.1 401 ")


def test_the_rest_of_a_refused_body_is_no_request(receiver: Receiver) -> None:
    """Who is refused before the body was read gets one answer, whatever that body looks like."""
    smuggled = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
    host, port = receiver.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(smuggled), smuggled)
        client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
        answers = b"".join(iter(lambda: client.recv(1000), b""))
    assert answers.startswith(b"HTTP/1.1 401 ")
    assert answers.count(b"HTTP/1.1 ") == 1


def test_two_requests_at_once_are_two_answers(receiver: Receiver) -> None:
    """What was sent of the next request along with one is kept for it."""
    get = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n"
    host, port = receiver.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
        assert b"".join(iter(lambda: client.recv(1000), b"")).count(b"HTTP/1.1 200 OK") == 2


def test_a_form_is_short(receiver: Receiver) -> None:
    """Nobody who is not known yet makes a thread read more than is gathered."""
    answer = receiver.post(b"x" * (MOST_BODY + 1), path="/-/reload", authorization=None)
    assert (answer.status_code, answer.json()["error"]) == (413, f"the body is larger than {MOST_BODY} bytes")


def test_a_request_that_drips_in_is_cut_off() -> None:
    """A client that always sends one more byte in time loses its connection when the request's time is up."""
    server = make_server(Flask("test"), "127.0.0.1:0", request_time=0.5)
    server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        with socket.create_connection(server.bind_addr, timeout=30) as slow:
            began = time.monotonic()
            slow.sendall(HEAD)
            slow.settimeout(0.05)

            assert 0.4 < _seconds_until_closed(slow, began) < 30
    finally:
        server.stop()
        thread.join()


def _seconds_until_closed(connection: socket.socket, began: float) -> float:
    while time.monotonic() - began < 5:
        try:
            connection.sendall(b"X-Slow: 1\r\n")
            if connection.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_what_the_server_says_is_a_line_of_the_log() -> None:
    """An error within the web server is logged like every other, one line whatever it says, at least as a warning."""
    server = make_server(Flask("nothing"), "127.0.0.1:0")
    with capture_logs() as log:
        server.error_log("broken\nconnection\n", level=20)
    (line,) = log
    assert (line["event"], line["said"]) == ("the web server failed", "broken\nconnection")
    assert line["log_level"] == "warning"
