"""Holds what the running exporter needs, and swaps its configuration in one step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from configfile import ConfigError, load
from exporters import names
from exporters.access_log import AccessLogCollector, AccessLogs
from exporters.config import Config
from exporters.deadline import Deadline
from exporters.health import HealthCollector, History, Prober, checks_of
from exporters.resolver import Resolver

log = structlog.get_logger()


class Exporter:
    """The configuration in use, and the counters that outlive it."""

    def __init__(self, path: Path, config: Config, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._config = config
        self._reload_lock = threading.Lock()
        self._prober = Prober(Resolver(), History())
        self.logs = AccessLogs()
        self.logs.follow(config)
        self.reload_successful = True
        self.reload_timestamp = now()

    def reload(self) -> None:
        """Read the file again; raises ConfigError and goes on as before if it cannot be used."""
        with self._reload_lock:
            try:
                config = load(self._path, Config)
            except ConfigError as error:
                self.reload_successful = False
                log.warning("configuration refused, the old one stays in use", error=str(error))
                raise
            if config.listen != self._config.listen:
                log.warning("a new listen address counts after a restart", listen=config.listen)
            self._config = config
            self.logs.follow(config)
            self.reload_successful = True
            self.reload_timestamp = self._now()
            log.info("configuration loaded", path=str(self._path))

    def register(self, registry: CollectorRegistry, deadline: Deadline) -> None:
        """Put the collectors of one scrape on `registry`."""
        health = HealthCollector(checks_of(self._config), self._prober, deadline)
        guarded = [Guarded("health", health), Guarded("access_log", AccessLogCollector(self.logs))]
        for collector in guarded:
            registry.register(collector)
        registry.register(SelfCollector(self, guarded))  # last, since it tells how the others fared
        ProcessCollector(registry=registry)


class Describing(Protocol):
    """A collector that names its metrics without collecting them."""

    def describe(self) -> Iterable[Metric]: ...

    def collect(self) -> Iterable[Metric]: ...


class Guarded(Collector):
    """A collector whose error costs its own metrics and not the whole scrape."""

    def __init__(self, name: str, collector: Describing) -> None:
        self.name = name
        self.successful = False
        self._collector = collector

    def describe(self) -> Iterable[Metric]:
        return self._collector.describe()

    def collect(self) -> Iterable[Metric]:
        try:
            families = list(self._collector.collect())
        except Exception:  # told by rollback_exporter_collector_success and by the log
            log.exception("collector failed", collector=self.name)
            return []
        self.successful = True
        return families


class SelfCollector(Collector):
    """The metrics of the exporter about itself."""

    def __init__(self, exporter: Exporter, guarded: list[Guarded]) -> None:
        self._exporter = exporter
        self._guarded = guarded

    def describe(self) -> Iterable[Metric]:
        return [metric.family() for metric in names.SELF]

    def collect(self) -> Iterable[Metric]:
        successful, timestamp = names.RELOAD_SUCCESSFUL.family(), names.RELOAD_TIMESTAMP.family()
        successful.add_metric([], self._exporter.reload_successful)
        timestamp.add_metric([], self._exporter.reload_timestamp)
        collectors = names.COLLECTOR_SUCCESS.family()
        for collector in self._guarded:
            collectors.add_metric([collector.name], collector.successful)
        return successful, timestamp, collectors
