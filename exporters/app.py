"""Runs the exporter: its command, its signals and its exit codes."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from pathlib import Path

import click
import structlog

from configfile import ConfigError, load
from exporters.config import Config
from exporters.runtime import Exporter
from exporters.web import Server, create_app

log = structlog.get_logger()

USAGE_ERROR = 2
DIED = 1


@click.command(epilog="\b\nExample:\n  rollback-agent exporter --config /etc/rollback-agent/exporter.yml")
@click.option("--config", "path", required=True, type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--check", is_flag=True, help="Only say whether the configuration can be used.")
def exporter(path: Path, check: bool) -> None:
    """Expose health checks and access logs as Prometheus metrics.

    Exit codes: 0 after SIGTERM or SIGINT, or if --check finds no fault; 2 if the configuration cannot
    be used or the address is taken; 1 if the server died.
    """
    _log_to_stderr()
    try:
        config = load(path, Config)
    except ConfigError as error:
        raise _fatal(str(error)) from None
    if check:
        click.echo(f"{path}: the configuration is valid")
        return
    sys.exit(_serve(path, config))


def _serve(path: Path, config: Config) -> int:
    running = Exporter(path, config)
    server = Server(config.address, create_app(running))
    try:
        host, port = server.listen()
    except OSError as error:
        raise _fatal(
            f"{path}: listen: cannot listen on {config.listen}: {error.strerror or error}; "
            "end what has this port, or name another address there"
        ) from None
    events: queue.SimpleQueue[signal.Signals | None] = queue.SimpleQueue()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: events.put(signal.Signals(received)))
    stop = threading.Event()
    threading.Thread(target=running.logs.poll_until, args=(stop,), name="access logs", daemon=True).start()
    threading.Thread(target=_serve_until_stopped, args=(server, events), name="http", daemon=True).start()
    log.info("listening", address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    ended_by = _handle(events, running)
    stop.set()
    server.stop()
    log.info("stopped", by=ended_by.name if ended_by else "error")
    return 0 if ended_by else DIED


def _serve_until_stopped(server: Server, events: queue.SimpleQueue[signal.Signals | None]) -> None:
    try:
        server.serve()
    finally:
        events.put(None)


def _handle(events: queue.SimpleQueue[signal.Signals | None], running: Exporter) -> signal.Signals | None:
    """Reload on each SIGHUP; returns the signal that ends the program, None if the server ended by itself."""
    while (event := events.get()) is signal.SIGHUP:
        try:
            running.reload()
        except ConfigError:
            continue  # logged, and told by rollback_exporter_config_last_reload_successful
    return event


def _fatal(message: str) -> SystemExit:
    click.echo(message, err=True)
    return SystemExit(USAGE_ERROR)


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
