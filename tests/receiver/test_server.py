"""Slow clients hold up neither a notification nor the server's threads."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

from flask import Flask
from structlog.testing import capture_logs

from receiver.server import make_server
from tests.receiver.serving import Receiver, notification

HEAD = b"POST /api/v1/alerts HTTP/1.1\r\nHost: receiver\r\n"


def test_a_notification_gets_through_among_fifty_slow_clients(receiver: Receiver) -> None:
    """Fifty clients that never finish their request leave room for one that does (T12)."""
    host, port = receiver.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=5)).sendall(HEAD)

        began = time.monotonic()
        answer = receiver.post(notification())

        assert (answer.status_code, time.monotonic() - began < 30) == (202, True)


def test_a_request_that_drips_in_is_cut_off() -> None:
    """A client that always sends one more byte in time loses its connection when the request's time is up."""
    server = make_server(Flask("test"), "127.0.0.1:0", request_time=0.5)
    server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        with socket.create_connection(server.bind_addr, timeout=5) as slow:
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
