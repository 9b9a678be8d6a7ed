"""The web server around the application: its threads, its limits, and what never reaches the application."""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection, HTTPRequest
from flask import Flask

from receiver.authentication import CERTIFICATE
from receiver.gathering import MOST_HEAD, Gathered, Wire
from receiver.log import get_log
from receiver.tls import TlsAdapter

THREADS = 32
MOST_WAITING = 512
"""Connections that wait for the rest of a request or for the next one; of more, who waits longest is cut off."""
REQUEST_TIME = 10.0
"""Seconds that one request may take, from its first byte to the end of the answer."""
_WITHOUT_DESCRIPTORS = 0.1
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
        if name == b"Expect":
            return  # who waited for a word has heard it before a thread was given to the request
        if name == b"Authorization" and name in self:
            value = self[name] + b", " + value  # as HTTP joins them, which is nobody's: the application says 401
        elif name in self and name in _ONLY_ONCE:
            raise ValueError(f"the header {name.decode('latin-1')} is given twice")
        super().__setitem__(name, value)


class _Request(HTTPRequest):
    def __init__(self, server: Any, connection: Any) -> None:
        super().__init__(server, connection)
        self.inheaders = _Headers()

    def send_headers(self) -> None:
        # The server would read on what nobody wanted, or take the rest of a chunked body for the next request.
        is_read = self.rfile.closed if self.chunked_read else not getattr(self.rfile, "remaining", 0)
        if not is_read:
            self.close_connection = self.conn.lingers = True
        super().send_headers()


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request
    has_shaken_hands = False
    lingers = False
    """Whether only the end of what is sent is waited for: a socket that is closed before loses the answer."""

    def __init__(self, server: Any, sock: Any, makefile: Any = None) -> None:  # noqa: ARG002 - the server's signature
        self.wire = Wire(sock, server.request_time)
        super().__init__(server, sock, lambda _, mode, size: MakeFile(self.wire, mode, size))

    def gather(self) -> Gathered:
        """Take what has come of the next request, without waiting for more; of TLS, shake hands before."""
        if self.lingers:
            return self.wire.discard()
        try:
            if self._shake_hands():
                return self.wire.gather()
        except OSError:
            return Gathered.ENDED
        return Gathered.ENDED if self.wire.is_late else Gathered.PART

    def communicate(self) -> bool:
        self.wire.begin()
        is_kept = bool(super().communicate())  # type: ignore[no-untyped-call]
        if self.lingers:
            self.wire.begin()
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        return is_kept or self.lingers

    def next(self) -> Gathered:
        """What is there of the next request after one was answered."""
        return self.wire.give_back(self.rfile.read(len(self.rfile.peek(0))) if self.rfile.has_data() else b"")

    def close(self) -> None:
        self.server.forget(self)
        super().close()

    def cut_off(self) -> None:
        """End the connection, as if the client had; from any thread."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def _shake_hands(self) -> bool:
        """Whether requests can be read: of TLS, once the client has shown what it must; OSError where it has not."""
        if not isinstance(self.socket, ssl.SSLSocket) or self.has_shaken_hands:
            return True
        self.socket.settimeout(0)
        try:
            self.socket.do_handshake()
            certificate = self.socket.getpeercert()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            get_log().info("a TLS handshake failed", address=self.remote_addr, error=str(error))
            if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
                with suppress(OSError):
                    os.write(self.socket.fileno(), _PLAIN)
            raise OSError(str(error)) from error
        self.ssl_env[CERTIFICATE] = certificate
        self.has_shaken_hands = True
        return True


class _Listener(socket.socket):
    """A listening socket that bears with a process that has no descriptor left: others are closed, in a moment."""

    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            get_log().error("a connection cannot be accepted", error=error.strerror)
            time.sleep(_WITHOUT_DESCRIPTORS)
            raise TimeoutError from error  # which the server takes for nobody's having come


class Server(wsgi.Server):
    """Cheroot's server, which gives no thread to a connection that is silent, and says why it cannot listen.

    That the exporter's says it the same way is written there too: the exporters share nothing with the receiver but
    the reader of configurations.
    """

    request_time = REQUEST_TIME

    def __init__(self, *arguments: Any, most_waiting: int, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._most_waiting = self.keep_alive_conn_limit = most_waiting
        self._waiting: OrderedDict[_Connection, None] = OrderedDict()
        self._lock = threading.Lock()
        self._bind_failure: OSError | None = None

    def listen(self) -> None:
        """Open the port; raises OSError with the operating system's own reason."""
        try:
            self.prepare()
        except OSError as error:
            raise (self._bind_failure or error) from None

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:  # noqa: A002 - cheroot's name
        try:
            bound: socket.socket = super().bind(family, type, proto)
        except OSError as error:
            self._bind_failure = error
            raise
        return bound

    @classmethod
    def prepare_socket(cls, *arguments: Any, **more: Any) -> socket.socket:
        made: socket.socket = super().prepare_socket(*arguments, **more)
        return _Listener(fileno=made.detach())

    def process_conn(self, conn: _Connection) -> None:
        """Give a connection on which something has come to a thread, once that thread would not wait for more."""
        self._go_on(conn, conn.gather())

    def put_conn(self, conn: _Connection) -> None:
        """Take a connection back from a thread: the next request may be there already."""
        found = conn.next()
        self._go_on(conn, Gathered.PART if conn.lingers else found)

    def forget(self, conn: _Connection) -> None:
        """The connection does not wait any more."""
        with self._lock:
            self._waiting.pop(conn, None)

    def _go_on(self, conn: _Connection, found: Gathered) -> None:
        match found:
            case Gathered.ENOUGH:
                self.forget(conn)
                super().process_conn(conn)
            case Gathered.ENDED:
                conn.close()
            case Gathered.PART:
                self._let_wait(conn)
                super().put_conn(conn)

    def _let_wait(self, conn: _Connection) -> None:
        with self._lock:
            self._waiting.setdefault(conn)
            longest = next(iter(self._waiting)) if len(self._waiting) > self._most_waiting else None
            self._waiting.pop(longest, None) if longest else None
        if longest:
            longest.cut_off()  # the server sees its end, and closes it

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What the server has to say is a line of the agent's log like every other, and not raw on the console."""
        get_log().log(max(level, logging.WARNING), "the web server failed", said=msg.strip(), exc_info=traceback)


def make_server(
    app: Flask,
    listen: str,
    request_time: float = REQUEST_TIME,
    tls: Callable[[], ssl.SSLContext] | None = None,
) -> Server:
    """A server for `app` on `listen` (host:port), not started yet; `tls` is asked for each connection."""
    host, _, port = listen.rpartition(":")
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = Server(
        (host.strip("[]"), int(port)),
        app,
        numthreads=THREADS,
        server_name="rollback-agent",
        most_waiting=min(MOST_WAITING, descriptors // 2),  # the other half is for all else
    )
    server.ConnectionClass = _Connection
    server.ssl_adapter = TlsAdapter(tls) if tls else None
    server.max_request_body_size = MAX_BODY
    server.max_request_header_size = MOST_HEAD
    server.timeout = request_time
    server.request_time = request_time
    server.request_queue_size = 128
    return server
