"""Runs the health checks side by side at each scrape and exposes what they found."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from exporters import names
from exporters.command_check import probe_command
from exporters.config import Check as CheckConfig
from exporters.config import Config, HttpCheck
from exporters.deadline import Deadline
from exporters.http_check import probe_http
from exporters.outcome import Outcome, Reason
from exporters.resolver import Resolver

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Check:
    """One configured check with the values of its labels."""

    labels: tuple[str, str, str, str]
    config: CheckConfig


def checks_of(config: Config) -> list[Check]:
    """Every check of the configuration, in its order."""
    return [
        Check((deployment, name, check.name, check.kind), check)
        for deployment, name, service in config.services()
        for check in service.checks
    ]


class History:
    """What outlives a scrape: the failures counted so far, and the last outcome of each check."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[tuple[tuple[str, ...], Reason]] = Counter()
        self._last: dict[tuple[str, ...], Reason | None] = {}

    def record(self, check: Check, outcome: Outcome) -> None:
        """Count a failure; log only a change, since a check that keeps failing would fill the log."""
        with self._lock:
            if outcome.failure is not None:
                self._failures[check.labels, outcome.failure] += 1
            before = self._last.get(check.labels)
            self._last[check.labels] = outcome.failure
        if outcome.failure == before:
            return
        where = dict(zip(names.OF_CHECK, check.labels, strict=True))
        if outcome.failure is None:
            log.info("check succeeds again", **where)
        else:
            log.warning("check fails", **where, reason=str(outcome.failure), detail=outcome.detail)

    def failures(self, check: Check) -> dict[Reason, int]:
        """Failures of the check by reason, 0 for a reason that was never met."""
        with self._lock:
            return {reason: self._failures[check.labels, reason] for reason in Reason}


SHARERS = 4
PATIENCE = 0.1
"""Seconds for which the checks of a scrape share a few threads, before each that still waits gets one of its own."""


class Prober:
    """Runs checks in few threads as long as they answer fast, and so that a hung target holds up no other."""

    def __init__(self, resolver: Resolver, history: History, patience: float = PATIENCE) -> None:
        self._resolver = resolver
        self._patience = patience
        self.history = history

    def run(self, checks: Sequence[Check], deadline: Deadline) -> list[tuple[Check, Outcome, float]]:
        """Each check with its outcome and the seconds it took; returns at the deadline at the latest."""
        waiting = deque(checks)
        found: dict[tuple[str, ...], tuple[Outcome, float]] = {}

        def work() -> None:
            while True:
                try:
                    check = waiting.popleft()
                except IndexError:
                    return
                found[check.labels] = self._run_one(check, deadline)

        # A thread costs as much as a probe of a target nearby, and many of them get in each other's way.
        with ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="check") as pool:
            started = [pool.submit(work) for _ in checks[:SHARERS]]
            wait(started, timeout=self._patience)
            started += [pool.submit(work) for _ in range(len(waiting))]
        for future in started:
            future.result()
        return [(check, *found[check.labels]) for check in checks]

    def _run_one(self, check: Check, deadline: Deadline) -> tuple[Outcome, float]:
        begin = time.monotonic()
        try:
            outcome = self._probe(check.config, deadline)
        except Exception as error:  # a check that raises is a check that failed, not a scrape that failed
            outcome = Outcome(Reason.ERROR, f"{type(error).__name__}: {error}")
        seconds = time.monotonic() - begin
        self.history.record(check, outcome)
        return outcome, seconds

    def _probe(self, config: CheckConfig, deadline: Deadline) -> Outcome:
        own_deadline = deadline.or_after(config.probe.timeout)
        if isinstance(config.probe, HttpCheck):
            return probe_http(config.probe, self._resolver, own_deadline)
        return probe_command(config.probe, own_deadline)


class HealthCollector(Collector):
    """The metrics of the health checks, for one scrape with its deadline."""

    def __init__(self, checks: Sequence[Check], prober: Prober, deadline: Deadline) -> None:
        self._checks = checks
        self._prober = prober
        self._deadline = deadline

    def describe(self) -> Iterable[Metric]:
        return [metric.family() for metric in names.HEALTH]

    def collect(self) -> Iterable[Metric]:
        success, duration = names.HEALTHCHECK_SUCCESS.family(), names.HEALTHCHECK_DURATION.family()
        status, failures = names.HEALTHCHECK_STATUS.family(), names.HEALTHCHECK_FAILURES.family()
        for check, outcome, seconds in self._prober.run(self._checks, self._deadline):
            success.add_metric(check.labels, outcome.failure is None)
            duration.add_metric(check.labels, seconds)
            if check.config.http is not None:
                status.add_metric(check.labels, outcome.http_status)
            for reason, count in self._prober.history.failures(check).items():
                failures.add_metric([*check.labels, reason], count)
        return success, duration, status, failures
