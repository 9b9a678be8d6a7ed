"""Metrics of the work that waits: whether anybody takes up what was notified and what is due."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, Metric

from receiver.journal.backlog import backlog


def backlog_metrics(tx: sa.Connection, now: float) -> Iterator[Metric]:
    """Counts and delays; a delay that grows means that the workers of all replicas stand still."""
    found = backlog(tx, now)
    for name, text, value in (
        ("rollback_inbox_due", "Stored notifications that are to be looked at.", found.notifications_due),
        (
            "rollback_inbox_delay_seconds",
            "How long the notification that is due longest has been due.",
            found.notifications_delay,
        ),
        ("rollback_runs_leased", "Runs that a worker has a lease on.", found.runs_leased),
        ("rollback_runs_delay_seconds", "How long the run that is due longest has had no worker.", found.runs_delay),
    ):
        yield GaugeMetricFamily(name, text, value=value)
