"""Sends one HTTP request and reads its response under one deadline for all of it.

The timeout of `requests` and of `http.client` holds for each socket operation, so a server that sends a byte
a second is never cut off. Here each operation gets what is left of the deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult

from exporters.deadline import Deadline
from exporters.resolver import Address, Resolver

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY = 1 << 20
"""Bytes of a response body that are read; the rest is left unread."""
MAX_RESPONSE = 2 * MAX_BODY
"""Bytes of a whole response: holds also where http.client counts wrongly (a chunk of size -1)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; `tls` is None for plain HTTP."""

    method: str
    url: SplitResult
    headers: Mapping[str, str]
    body: bytes
    tls: ssl.SSLContext | None
    server_name: str | None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; `body` ends at MAX_BODY."""

    status: int
    location: str | None
    body: bytes


def exchange(request: Request, resolver: Resolver, deadline: Deadline) -> Response:
    """Connect, send, receive; raises TimeoutError, ssl.SSLError, OSError or http.client.HTTPException."""
    with _connect(request, resolver, deadline) as connection:
        _send(connection, _head(request) + request.body, deadline)
        # HTTPResponse asks its socket for makefile() and for nothing else.
        response = http.client.HTTPResponse(cast(socket.socket, _Readable(connection, deadline)), method=request.method)
        with response:
            response.begin()
            return Response(response.status, response.headers.get("Location"), _body(response))


def _connect(request: Request, resolver: Resolver, deadline: Deadline) -> socket.socket:
    host = request.url.hostname or ""
    port = request.url.port or (443 if request.tls else 80)
    connection = _first_that_answers(resolver.resolve(host, port, deadline), deadline)
    if request.tls is None:
        return connection
    try:
        connection.settimeout(deadline.remaining())  # holds for the handshake as a whole
        return request.tls.wrap_socket(connection, server_hostname=request.server_name or host)
    except BaseException:
        connection.close()
        raise


def _first_that_answers(addresses: list[Address], deadline: Deadline) -> socket.socket:
    """Try the addresses in turn, each with its share of the time left: a dead first one is not the end."""
    failure = OSError("the name has no address")
    for index, (family, address) in enumerate(addresses):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.remaining() / (len(addresses) - index))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _head(request: Request) -> bytes:
    headers = {
        "Host": request.url.netloc,
        "User-Agent": "rollback-agent-exporter",
        "Accept": "*/*",
        "Connection": "close",
    }
    if request.body:
        headers["Content-Length"] = str(len(request.body))
    own = {name.lower() for name in request.headers}
    merged = {name: value for name, value in headers.items() if name.lower() not in own} | dict(request.headers)
    target = (request.url.path or "/") + (f"?{request.url.query}" if request.url.query else "")
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in merged.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _send(connection: socket.socket, data: bytes, deadline: Deadline) -> None:
    rest = memoryview(data)
    while rest:
        connection.settimeout(deadline.remaining())
        rest = rest[connection.send(rest) :]


def _body(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while len(body) < MAX_BODY:
        piece = response.read(MAX_BODY - len(body))
        if not piece:
            if response.length:  # read(n) ends silently when the connection breaks off
                raise http.client.IncompleteRead(bytes(body), response.length)
            break
        body += piece
    return bytes(body)


class _Readable:
    """The part of a socket that HTTPResponse uses, each of its reads limited by the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._raw = _Raw(connection, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


class _Raw(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = MAX_RESPONSE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._connection.settimeout(self._deadline.remaining())
        received = self._connection.recv_into(buffer)
        self._left -= received
        if self._left < 0:
            raise http.client.HTTPException(f"the response is larger than {MAX_RESPONSE} bytes")
        return received
