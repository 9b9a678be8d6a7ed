"""Answers the exporter's HTTP requests."""

from __future__ import annotations

import math
import socket

import structlog
from cheroot import wsgi
from flask import Flask, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from configfile import ConfigError
from exporters.deadline import Deadline, probe_time
from exporters.runtime import Exporter

log = structlog.get_logger()

DEFAULT_SCRAPE_TIMEOUT = 10.0
"""Seconds, Prometheus' own default; for a browser or curl, which send no timeout."""
MAX_SCRAPE_TIMEOUT = 300.0


def create_app(exporter: Exporter) -> Flask:
    """The WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False

    @app.get("/")
    def home() -> str:
        return '<!doctype html><title>rollback-agent exporter</title><a href="/metrics">/metrics</a>\n'

    @app.get("/metrics")
    def metrics() -> Response:
        try:
            timeout = _scrape_timeout(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds"))
        except ValueError as error:
            return _text(f"{error}\n", 400)
        deadline = Deadline.after(probe_time(timeout))
        registry = CollectorRegistry()
        exporter.register(registry, deadline)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    @app.get("/-/healthy")
    def healthy() -> Response:
        return _text("The exporter is healthy.\n")

    @app.post("/-/reload")
    def reload() -> Response:
        try:
            exporter.reload()
        except ConfigError:
            # The errors may quote the file, which holds more than everybody who can scrape should read.
            return _text("The configuration was refused, the old one stays in use; the log says why.\n", 500)
        return _text("The configuration was loaded.\n")

    return app


def _scrape_timeout(header: str | None) -> float:
    if header is None:
        return DEFAULT_SCRAPE_TIMEOUT
    try:
        seconds = float(header)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError("X-Prometheus-Scrape-Timeout-Seconds is not a positive number of seconds")
    return min(seconds, MAX_SCRAPE_TIMEOUT)


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")


class Server(wsgi.Server):
    """Cheroot's threaded server, which says why it cannot listen and logs as the rest of the program does."""

    def __init__(self, address: tuple[str, int], app: Flask) -> None:
        super().__init__(address, app, numthreads=10, server_name="rollback-agent-exporter", shutdown_timeout=2)
        self._bind_failure: OSError | None = None

    def listen(self) -> tuple[str, int]:
        """Open the port and return the address; raises OSError with the operating system's own reason."""
        try:
            self.prepare()
        except OSError as error:
            raise (self._bind_failure or error) from None
        return self.bind_addr[0], self.bind_addr[1]

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:  # noqa: A002 - cheroot's name
        try:
            bound: socket.socket = super().bind(family, type, proto)
        except OSError as error:
            self._bind_failure = error
            raise
        return bound

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        log.log(level, msg, exc_info=traceback)
