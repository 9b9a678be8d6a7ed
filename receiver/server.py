"""The web server around the application: its threads, its limits, and what never reaches the application."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection, HTTPRequest
from flask import Flask

from receiver.authentication import CERTIFICATE
from receiver.log import get_log
from receiver.tls import TlsAdapter

THREADS = 64
"""A thread waits while a slow client sends its request; Alertmanager must find a free one all the same."""
REQUEST_TIME = 10.0
"""Seconds that one request may take, from its first byte to the end of the answer."""
MAX_BODY = 16 << 20
"""Bytes that are read of a body at most; the application's own limit is far below and answers with a sentence."""
_PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
    b'{"error":"this address speaks https, not http"}\n'
)
_ONLY_ONCE = (b"Content-Length", b"Content-Type", b"Host")


class _Headers(dict[bytes, bytes]):
    """Headers of which none that decides is there twice: a proxy might look at the one, we at the other."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name == b"Authorization" and name in self:
            value = self[name] + b", " + value  # as HTTP joins them, which is nobody's: the application says 401
        elif name in self and name in _ONLY_ONCE:
            raise ValueError(f"the header {name.decode('latin-1')} is given twice")
        super().__setitem__(name, value)


class _Request(HTTPRequest):
    def __init__(self, server: Any, connection: Any) -> None:
        super().__init__(server, connection)
        self.inheaders = _Headers()


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request
    has_shaken_hands = False

    def communicate(self) -> bool:
        # The server's own timeout is for each read, and a request that drips in is many reads.
        end = threading.Timer(self.server.request_time, self._cut_off)
        end.daemon = True
        end.start()
        try:
            return self._shake_hands() and bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            end.cancel()

    def _shake_hands(self) -> bool:
        """Whether requests can be read: of TLS, once the client has shown what it must."""
        if not isinstance(self.socket, ssl.SSLSocket) or self.has_shaken_hands:
            return True
        try:
            self.socket.do_handshake()
            certificate = self.socket.getpeercert()
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            get_log().info("a TLS handshake failed", address=self.remote_addr, error=str(error))
            if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
                with suppress(OSError):
                    os.write(self.socket.fileno(), _PLAIN)
            return False
        self.ssl_env[CERTIFICATE] = certificate
        self.has_shaken_hands = True
        return True

    def _cut_off(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class _Server(wsgi.Server):
    request_time = REQUEST_TIME

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What the server has to say is a line of the agent's log like every other, and not raw on the console."""
        get_log().log(max(level, logging.WARNING), "the web server failed", said=msg.strip(), exc_info=traceback)


def make_server(
    app: Flask,
    listen: str,
    request_time: float = REQUEST_TIME,
    tls: Callable[[], ssl.SSLContext] | None = None,
) -> wsgi.Server:
    """A server for `app` on `listen` (host:port), not started yet; `tls` is asked for each connection."""
    host, _, port = listen.rpartition(":")
    server = _Server((host.strip("[]"), int(port)), app, numthreads=THREADS, server_name="rollback-agent")
    server.ConnectionClass = _Connection
    server.ssl_adapter = TlsAdapter(tls) if tls else None
    server.max_request_body_size = MAX_BODY
    server.max_request_header_size = 64 << 10
    server.timeout = 10
    server.request_time = request_time
    server.request_queue_size = 128
    return server
