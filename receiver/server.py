"""The web server around the application: its threads, its limits, and what never reaches the application."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection, HTTPRequest
from flask import Flask

THREADS = 64
"""A thread waits while a slow client sends its request; Alertmanager must find a free one all the same."""
REQUEST_TIME = 10.0
"""Seconds that one request may take, from its first byte to the end of the answer."""
MAX_BODY = 16 << 20
"""Bytes that are read of a body at most; the application's own limit is far below and answers with a sentence."""
_ONLY_ONCE = (b"Authorization", b"Content-Length", b"Content-Type", b"Host")


class _Headers(dict[bytes, bytes]):
    """Headers of which none that decides is there twice: a proxy might look at the one, we at the other."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in self and name in _ONLY_ONCE:
            raise ValueError(f"the header {name.decode('latin-1')} is given twice")
        super().__setitem__(name, value)


class _Request(HTTPRequest):
    def __init__(self, server: Any, connection: Any) -> None:
        super().__init__(server, connection)
        self.inheaders = _Headers()


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request

    def communicate(self) -> bool:
        # The server's own timeout is for each read, and a request that drips in is many reads.
        end = threading.Timer(self.server.request_time, self._cut_off)
        end.daemon = True
        end.start()
        try:
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            end.cancel()

    def _cut_off(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class _Server(wsgi.Server):
    request_time = REQUEST_TIME


def make_server(app: Flask, listen: str, request_time: float = REQUEST_TIME) -> wsgi.Server:
    """A server for `app` on `listen` (host:port), not started yet."""
    host, _, port = listen.rpartition(":")
    server = _Server((host.strip("[]"), int(port)), app, numthreads=THREADS, server_name="rollback-agent")
    server.ConnectionClass = _Connection
    server.max_request_body_size = MAX_BODY
    server.max_request_header_size = 64 << 10
    server.timeout = 10
    server.request_time = request_time
    server.request_queue_size = 128
    return server
