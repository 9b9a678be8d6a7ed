"""Asks over HTTP in JSON and reads the whole answer in time, from the configured address and from nothing else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from receiver.deadlines import Deadlines
from receiver.errors import NoAnswer

MAX_ANSWER = 16 << 20

Fields = Mapping[str, str] | list[tuple[str, str]]
NOTHING: Mapping[str, str] = {}
_TOO_SLOW = "its answer did not end in time"
_DEADLINES = Deadlines()


def exchange(
    method: str, url: str, timeout: float, *, params: Fields = NOTHING, form: Fields = NOTHING, body: object = None
) -> tuple[int, Any]:
    """The status and the JSON of the answer; `timeout` (seconds) is for all of it. Raises NoAnswer.

    What is sent is a form or, where `body` is not None, that as JSON.
    """
    status, content = _answer(method, url, timeout, params=params, data=form or None, json=body)
    try:
        found = json.loads(content)
        if b"\\u" in content:
            json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair is no text, and fails later
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"answered {status} without usable JSON") from error
    return status, found


def tell(url: str, timeout: float, body: object) -> tuple[int, str]:
    """Post `body` as JSON to who need not say more than whether it was taken; the status and the text. Raises NoAnswer.

    `timeout` (seconds) is for all of it.
    """
    status, content = _answer("POST", url, timeout, json=body)
    return status, content.decode(errors="backslashreplace")


def _answer(method: str, url: str, timeout: float, **sent: Any) -> tuple[int, bytes]:
    try:
        with requests.Session() as session:
            session.mount("http://", _Adapter())
            session.mount("https://", _Adapter())
            session.trust_env = False  # no proxy and no netrc: the address is the configured one and nothing else
            response = session.request(method, url, timeout=timeout, allow_redirects=False, stream=True, **sent)
            with response:
                return response.status_code, _read(response, time.monotonic() + timeout)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise NoAnswer(f"cannot be asked: {_cause(error)}") from error


def _read(response: requests.Response, deadline: float) -> bytes:
    """The whole body; raises OSError where it is too large, or has not ended by `deadline` (monotonic seconds)."""
    body = bytearray()
    # The timeout of requests is for each read, and a slow answer is many reads.
    while chunk := response.raw.read1(1 << 16, decode_content=True):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise OSError(f"its answer is larger than {MAX_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise OSError(_TOO_SLOW)
    return bytes(body)


@contextmanager
def _in_time(connection: HTTPConnection) -> Iterator[None]:
    """Cut the connection off where the headers drip in: its timeout is for each read, and they are many.

    Twice the timeout, so that a server that says nothing at all is told by the read.
    """
    is_cut = threading.Event()

    def cut_off() -> None:
        is_cut.set()
        with suppress(OSError, AttributeError):  # it may just have been closed
            connection.sock.shutdown(socket.SHUT_RDWR)

    with _DEADLINES.within(2 * float(connection.timeout or 0), cut_off):
        yield
    if is_cut.is_set():  # what came until then looks like an answer without a body
        raise OSError(_TOO_SLOW)


class _Connection(HTTPConnection):
    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override]  # urllib3's own
        with _in_time(self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override]  # urllib3's own
        with _in_time(self):
            return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _cause(error: BaseException) -> str:
    """The innermost reason; requests wraps it several times."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(str(error).split()) or type(error).__name__
