"""Metrics of what one process knows, whatever is in the journal: its configuration, its audit trail, its clearing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.audit_watch import AuditState


class Reloads(Protocol):
    """How reloading the configuration went."""

    was_reloaded_well: bool
    reloaded_at: float


class ClearingUp(Protocol):
    """How clearing up went in this process."""

    @property
    def failures(self) -> Mapping[str, int]:
        """By kind."""
        ...

    @property
    def succeeded_at(self) -> float | None:
        """Unix seconds."""
        ...


class ReloadCollector(Collector):
    """How the last reload of this process went; it needs no journal."""

    def __init__(self, reloads: Reloads) -> None:
        self._reloads = reloads

    def collect(self) -> Iterator[Metric]:
        """Both gauges; a process that was not told to reload took its configuration up at its start."""
        yield GaugeMetricFamily(
            "rollback_config_last_reload_successful",
            "Whether the last reload of the configuration succeeded.",
            value=float(self._reloads.was_reloaded_well),
        )
        yield GaugeMetricFamily(
            "rollback_config_last_reload_success_timestamp_seconds",
            "When a configuration last came into force.",
            value=self._reloads.reloaded_at,
        )


class AuditCollector(Collector):
    """The audit trail as it was last looked at; nothing before the first look, since a 0 would look like a loss."""

    def __init__(self, state: Callable[[], AuditState | None]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """What another machine has to remember so that a trail that was cut or replaced is noticed."""
        state = self._state()
        records = CounterMetricFamily("rollback_audit_records", "Number of the audit trail's last record.")
        head = GaugeMetricFamily("rollback_audit_head", "First 52 bits of the SHA-256 of the last audit record.")
        intact = GaugeMetricFamily("rollback_audit_intact", "Whether the audit trail holds and lost nothing.")
        if state is not None:
            records.add_metric((), state.head.records)
            head.add_metric((), state.head.as_float)
            intact.add_metric((), float(state.intact))
        yield from (records, head, intact)


class RetentionCollector(Collector):
    """How the removal of what is beyond the limits went; what was removed is counted in the journal."""

    def __init__(self, clearing_up: ClearingUp) -> None:
        self._clearing_up = clearing_up

    def collect(self) -> Iterator[Metric]:
        """Failures by kind, and when all went well."""
        failures = CounterMetricFamily(
            "rollback_retention_failures", "Failed tries to remove what is beyond the limits.", labels=("kind",)
        )
        for kind, count in sorted(self._clearing_up.failures.items()):
            failures.add_metric((kind,), count)
        yield failures
        yield GaugeMetricFamily(
            "rollback_retention_last_success_timestamp_seconds",
            "When everything beyond the limits was last removed without a failure (0: not yet).",
            value=self._clearing_up.succeeded_at or 0.0,
        )
