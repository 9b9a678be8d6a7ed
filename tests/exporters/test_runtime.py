"""A collector that raises costs its own metrics and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from configfile import load
from exporters.config import Config
from exporters.names import HEALTHCHECK_SUCCESS
from exporters.runtime import Exporter, Guarded, SelfCollector


class Raising:
    """A collector that has a bug."""

    def describe(self) -> Iterable[Metric]:
        return [HEALTHCHECK_SUCCESS.family()]

    def collect(self) -> Iterable[Metric]:
        yield HEALTHCHECK_SUCCESS.family()
        raise RuntimeError("a bug")


def test_collector_that_raises_is_told_by_a_metric(tmp_path: Path) -> None:
    """The scrape goes on, without the half-made metrics, and with a 0 that names the collector."""
    path = tmp_path / "exporter.yaml"
    path.write_text("deployments: {q: {services: {s: {access_logs: [{path: x.log, format: combined}]}}}}\n")
    registry = CollectorRegistry()
    broken = Guarded("health", Raising())
    registry.register(broken)
    registry.register(SelfCollector(Exporter(path, load(path, Config)), [broken]))
    text = generate_latest(registry).decode()
    assert 'rollback_exporter_collector_success{collector="health"} 0.0' in text
    assert "rollback_exporter_config_last_reload_successful 1.0" in text
    assert "healthcheck_success" not in text
