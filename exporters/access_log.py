"""Follows the configured access logs and exposes what they tell of requests and users."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from exporters import names
from exporters.config import AccessLog, Config
from exporters.log_formats import WITH_DURATION, Reader, reader_of
from exporters.log_tail import Tail
from exporters.traffic import Traffic
from exporters.users import Users

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between looks at the logs: short against the time in which a file may be truncated and refilled."""
BREATHER = 0.001
"""Seconds between looks while a log is read that has grown by more than one look takes: a scrape gets its turn."""

ServiceKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Source:
    """One log file, and where what it says is counted; `users` is None where no field names the user."""

    config: AccessLog
    tail: Tail
    reader: Reader
    traffic: Traffic
    users: Users | None

    def poll(self) -> None:
        for block in self.tail.blocks():
            batch = self.reader.read(block)
            self.traffic.add(batch)
            if self.users is not None:
                self.users.saw(batch.users, batch.users_affected)


class AccessLogs:
    """All followed logs; counters and positions outlive a reload while what they belong to is configured."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: dict[tuple[ServiceKey, AccessLog], _Source] = {}
        self._traffic: dict[ServiceKey, Traffic] = {}
        self._users: dict[str, Users] = {}

    def follow(self, config: Config) -> None:
        """Follow the logs of `config` and no others."""
        wanted = [
            ((deployment, name), access_log)
            for deployment, name, service in config.services()
            for access_log in service.access_logs
        ]
        with self._lock:
            self._traffic = {key: self._traffic.get(key) or Traffic() for key, _ in wanted}
            named = {key[0] for key, access_log in wanted if access_log.user_field}
            self._users = {name: self._users.get(name) or Users(self._clock) for name in named}
            before, self._sources = self._sources, {}
            for key, access_log in wanted:
                kept = before.pop((key, access_log), None)
                self._sources[key, access_log] = _Source(
                    access_log,
                    kept.tail if kept else Tail(access_log.path, self._clock),
                    kept.reader if kept else reader_of(access_log.format, access_log.user_field),
                    self._traffic[key],
                    self._users[key[0]] if access_log.user_field else None,
                )
            for source in before.values():
                source.tail.close()

    def poll(self) -> bool:
        """Count what was written since the last call; returns whether it was more than one look takes."""
        with self._lock:
            self._poll()
            return any(source.tail.is_behind for source in self._sources.values())

    def poll_until(self, stop: threading.Event) -> None:
        """Poll now and then, so that rotated files are not missed between scrapes."""
        is_behind = False
        while not stop.wait(BREATHER if is_behind else POLL_INTERVAL):
            is_behind = self.poll()

    def families(self) -> Iterable[Metric]:
        """The metric families, with everything counted that was written before the call."""
        with self._lock:
            self._poll()
            return [*self._families_of_services(), *self._families_of_users()]

    def _poll(self) -> None:
        for source in self._sources.values():
            try:
                source.poll()
            except Exception:  # one log that cannot be read must not stop the others from being counted
                log.exception("access log failed", path=str(source.config.path))

    def _families_of_services(self) -> Iterable[Metric]:
        requests, durations = names.REQUESTS.family(), names.REQUEST_DURATION.family()
        unparsable, files = names.UNPARSABLE_LINES.family(), names.LOG_FILES.family()
        for key, traffic in self._traffic.items():
            sources = [source for (of, _), source in self._sources.items() if of == key]
            for (method, code), count in traffic.requests.items():
                requests.add_metric([*key, method, code], count)
            if any(source.config.format in WITH_DURATION for source in sources):
                durations.add_metric(key, traffic.buckets(), traffic.seconds)
            unparsable.add_metric(key, traffic.unparsable_lines)
            files.add_metric(key, sum(source.tail.is_open for source in sources))
        return requests, durations, unparsable, files

    def _families_of_users(self) -> Iterable[Metric]:
        seen, affected = names.USERS.family(), names.USERS_AFFECTED.family()
        for deployment, users in self._users.items():
            seen_count, affected_count = users.count()
            seen.add_metric([deployment], seen_count)
            affected.add_metric([deployment], affected_count)
        return seen, affected


class AccessLogCollector(Collector):
    """The metrics of the access logs, for one scrape."""

    def __init__(self, logs: AccessLogs) -> None:
        self._logs = logs

    def describe(self) -> Iterable[Metric]:
        return [metric.family() for metric in names.ACCESS_LOG]

    def collect(self) -> Iterable[Metric]:
        return self._logs.families()
