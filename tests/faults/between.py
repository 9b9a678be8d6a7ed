"""Stands between the agent and real servers of Prometheus, and passes their answers on, or makes them worse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

Answer = dict[str, Any]


class Between:
    """An address of its own; `server` is asked for each answer, and `change` what becomes of it."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.change: Callable[[Answer], None] = lambda _: None
        self.late_by = 0.0
        """Seconds for which each answer is kept back."""
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def ask(self, path: str, form: bytes, kind: str) -> tuple[int, bytes] | None:
        """The answer of the server as it is passed on; None where there is none."""
        try:
            found = requests.post(self.server + path, data=form, headers={"Content-Type": kind}, timeout=30)
        except requests.RequestException:
            return None
        self._closing.wait(self.late_by)
        answer: Answer = found.json()
        self.change(answer)
        return found.status_code, json.dumps(answer).encode()

    def close(self) -> None:
        """Take nothing more."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()


def _handler(between: Between) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"]))
            answer = between.ask(self.path, form, self.headers["Content-Type"])
            if answer is None:
                return  # the connection ends without a word
            status, body = answer
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            with suppress(OSError):  # who asked may not have waited
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def empty(answer: Answer) -> None:
    """Nothing was found."""
    answer["data"]["result"] = []


def in_part(answer: Answer) -> None:
    """It says itself that more may be there."""
    answer["warnings"] = ["remote storage is down"]


def no_numbers(answer: Answer) -> None:
    """Every sample is NaN, at its own time."""
    for series in answer["data"]["result"]:
        for sample in (*series.get("values", ()), *([series["value"]] if "value" in series else ())):
            sample[1] = "NaN"


@contextmanager
def between(server: str) -> Iterator[Between]:
    """Between the agent and this server, until the block ends."""
    made = Between(server)
    try:
        yield made
    finally:
        made.close()
