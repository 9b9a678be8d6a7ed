"""Gathers a request before a thread is given to it, so that who sends slowly keeps no thread waiting."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from contextlib import suppress
from enum import Enum, auto

MOST_HEAD = 64 << 10
MOST_BODY = 16 << 10
"""Bytes of a body that are gathered; of a longer one a thread reads the rest, where the application wants it."""
_AT_ONCE = 16 << 10
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect:[ \t]*100-continue", re.IGNORECASE | re.MULTILINE)
_CHUNK = re.compile(rb"([0-9a-f]{1,15})[^\r\n]*\r\n", re.IGNORECASE)
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class Gathered(Enum):
    """What is there of a request."""

    PART = auto()
    """More must come before a thread can do anything with it."""
    ENOUGH = auto()
    """All of it, or of one with a long body the head, or what can only be refused."""
    ENDED = auto()
    """Nothing more will come."""


def gathered(data: bytes | bytearray) -> Gathered:
    """Whether a thread that reads a request from `data` would have to wait for what is not there yet."""
    end = end_of_head(data)
    if end is None:
        return Gathered.ENOUGH if len(data) > MOST_HEAD else Gathered.PART
    there = len(data) - end
    if there > MOST_BODY:
        return Gathered.ENOUGH
    if _CHUNKED.search(data, 0, end):
        return Gathered.ENOUGH if _has_last_chunk(data, end) else Gathered.PART
    length = _LENGTH.search(data, 0, end)
    whole = int(length[1]) if length else 0
    return Gathered.PART if there < whole <= MOST_BODY else Gathered.ENOUGH


def end_of_head(data: bytes | bytearray) -> int | None:
    """Where the body begins; None where the head has not ended yet."""
    start = len(data) - len(data.lstrip(b"\r\n"))  # an empty line before a request is none of it
    ends = [at + len(end) for end in (b"\n\r\n", b"\n\n") if (at := data.find(end, start)) >= 0]
    return min(ends, default=None)


def _has_last_chunk(data: bytes | bytearray, at: int) -> bool:
    while True:
        chunk = _CHUNK.match(data, at)
        if chunk is None:
            return b"\n" in data[at:]  # no line that begins a chunk: the thread refuses it
        size = int(chunk[1], 16)
        if size == 0:
            return data.startswith(b"\r\n", chunk.end()) or b"\r\n\r\n" in data[chunk.end() :]
        at = chunk.end() + size + len(b"\r\n")
        if at > len(data):
            return False


class Wire:
    """A socket as the server's files see it: what was gathered is read first, and all ends with the request's time."""

    def __init__(self, sock: socket.socket, request_time: float) -> None:
        self._socket = sock
        self._request_time = request_time
        self._ahead = bytearray()
        self._deadline = 0.0
        self.begin()

    def begin(self) -> None:
        """Give the request all of its time from now on."""
        self._deadline = time.monotonic() + self._request_time

    @property
    def is_late(self) -> bool:
        """Whether the request's time is up."""
        return time.monotonic() > self._deadline

    def gather(self) -> Gathered:
        """Take what has come, without waiting, and say what there is."""
        received = self._receive()
        if received is None:
            return Gathered.PART
        if not self._ahead:
            self.begin()
        if not received or self.is_late:
            return Gathered.ENDED
        knew_head = end_of_head(self._ahead) is not None
        self._ahead += received
        end = None if knew_head else end_of_head(self._ahead)
        if end is not None and _EXPECTS.search(self._ahead, 0, end):
            with suppress(OSError):  # it will be seen when the answer is sent
                self._socket.send(_GO_ON)
        return gathered(self._ahead)

    def give_back(self, unread: bytes) -> Gathered:
        """Put what was read of the next request before what is to be read; says what there is of it."""
        self._ahead[:0] = unread
        return gathered(self._ahead) if self._ahead else Gathered.PART

    def discard(self) -> Gathered:
        """Drop what has come of a request that is answered already, until its time is up or nothing comes any more."""
        received = self._receive()
        return Gathered.ENDED if received == b"" or self.is_late else Gathered.PART

    def _receive(self) -> bytes | None:
        """What has come; nothing where nothing more will, None where it is not known yet."""
        self._socket.settimeout(0)
        try:
            received = self._socket.recv(_AT_ONCE)
            while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                received += self._socket.recv(_AT_ONCE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return b""
        return received

    # What socket.SocketIO asks of a socket.

    def recv_into(self, buffer: memoryview) -> int:
        """Read; nothing once the time is up."""
        if self._ahead:
            taken = min(len(buffer), len(self._ahead))
            buffer[:taken] = self._ahead[:taken]
            del self._ahead[:taken]
            return taken
        try:
            self._socket.settimeout(self._left())
            return self._socket.recv_into(buffer)
        except TimeoutError:
            return 0

    def send(self, data: bytes) -> int:
        """Write; a broken pipe once the time is up."""
        try:
            self._socket.settimeout(self._left())
            return self._socket.send(data)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the request's time is up") from None

    def fileno(self) -> int:
        """The socket's."""
        return self._socket.fileno()

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _decref_socketios(self) -> None:
        """The connection closes the socket."""
