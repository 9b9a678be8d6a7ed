"""A real Prometheus that watches a fleet, and a real Alertmanager that is told who needs a human."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

import requests

from demo.exposition import serve_metrics
from demo.monitoring import Server, start_alertmanager, start_prometheus
from demo.processes import free_port
from tests.acceptance.services import FAST_TREE
from tests.faults.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Watchers:
    """Where both listen."""

    prometheus: str
    alertmanager: str

    def calls(self) -> set[str]:
        """The escalations for which a human is being called."""
        asked = {"filter": 'alertname="RollbackNeedsHuman"', "silenced": "false", "inhibited": "false"}
        found = requests.get(f"{self.alertmanager}/api/v2/alerts", params=asked, timeout=30).json()
        return {alert["labels"]["escalation"] for alert in found}


def start_prometheus_of(exporter: ThreadingHTTPServer, directory: Path, port: int) -> Server:
    """A Prometheus that watches the fleet that this exporter tells of, and goes on with the data that it finds."""
    (directory / "tree.yml").write_text(json.dumps(FAST_TREE))
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": [str(directory / "tree.yml")],
        "scrape_configs": [
            {"job_name": "fleet", "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_address[1]}"]}]}
        ],
    }
    return start_prometheus(directory, config, port)


@contextmanager
def telling(fleet: Fleet) -> Iterator[ThreadingHTTPServer]:
    """An exporter that tells of the fleet, until the block ends."""
    exporter = serve_metrics(fleet.exposition)
    try:
        yield exporter
    finally:
        exporter.shutdown()
        exporter.server_close()


def start_alertmanager_of(directory: Path) -> Server:
    """An Alertmanager that keeps to itself who needs a human."""
    routes = {"route": {"receiver": "human"}, "receivers": [{"name": "human"}]}
    return start_alertmanager(directory, routes, free_port())


@contextmanager
def watching(fleet: Fleet, directory: Path) -> Iterator[Watchers]:
    """Both, until the block ends."""
    with (
        telling(fleet) as exporter,
        start_prometheus_of(exporter, directory, free_port()) as prometheus,
        start_alertmanager_of(directory) as alertmanager,
    ):
        yield Watchers(prometheus.url, alertmanager.url)
