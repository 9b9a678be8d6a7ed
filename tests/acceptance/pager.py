"""Stands where the pager of a person stands: a webhook of Alertmanager's that remembers what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Alert = dict[str, Any]


class Pager:
    """Every alert that was told, oldest first."""

    def __init__(self, url: str, told: list[Alert]) -> None:
        self.url = url
        self.told = told

    def newest(self, **labels: str) -> Alert | None:
        """The last that was told of an alert with these labels."""
        return next((one for one in reversed(self.told) if labels.items() <= one["labels"].items()), None)

    def is_firing(self, **labels: str) -> bool:
        """Whether an alert with these labels was told last as firing."""
        found = self.newest(**labels)
        return found is not None and found["status"] == "firing"

    def has_ended(self, **labels: str) -> bool:
        """Whether an alert with these labels was told last as resolved."""
        found = self.newest(**labels)
        return found is not None and found["status"] == "resolved"

    def names(self) -> set[str]:
        """The names of all alerts that were ever told as firing."""
        return {one["labels"]["alertname"] for one in self.told if one["status"] == "firing"}


@contextmanager
def pager() -> Iterator[Pager]:
    """A pager on a free port, until the block ends."""
    told: list[Alert] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by its parent
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        yield Pager(f"http://127.0.0.1:{server.server_port}", told)
        server.shutdown()
        serving.join()
