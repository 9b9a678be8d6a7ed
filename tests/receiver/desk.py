"""An inbox with what it meets: a clock, what fires, and notifications of a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import sqlalchemy as sa

from receiver.errors import PrometheusError
from receiver.inbox import Inbox
from receiver.journal import notifications, seen, tables, views
from receiver.journal.counts import read_all
from receiver.journal.database import Database, open_database
from receiver.model import Action, Demand
from tests.clock import Clock
from tests.receiver import migrated

HOUR = 3600.0
NOON = 1_795_000_000.0
DOWN = Demand("service_down", Action.ROLLBACK)


class Firing:
    """What fires, as Prometheus would tell it; None: it cannot be asked."""

    def __init__(self) -> None:
        self.now: dict[str, Demand | None] | None = {"qrl": DOWN}
        self.measured = True
        self.when_told: Callable[[], None] = lambda: None

    def deciding(self) -> Mapping[str, Demand | None]:
        if self.now is None:
            raise PrometheusError("Prometheus cannot be asked")
        told = self.now
        self.when_told()
        return told

    def telemetry(self, deployment: str) -> None:
        if not self.measured:
            raise PrometheusError(f"no signal of {deployment}")


class Desk:
    """An inbox with its journal, its clock and what fires."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.firing = Clock(NOON), Firing()
        self.database: Database = open_database(directory, self.clock)
        migrated.make(self.database)
        self.inbox = Inbox(self.database, self.firing, {"qrl": None, "other": None})

    def notify(self, **labels: str) -> None:
        """Store one notification, of a firing ServiceDown of qrl unless `labels` say otherwise."""
        alert = {"status": "firing", "alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down"}
        with self.database.write() as tx:
            notifications.store(tx, self.clock(), [{**alert, **labels}], 0)

    def runs(self) -> list[str]:
        """Ids of all runs."""
        with self.database.read() as tx:
            return [run["id"] for incident in views.incidents(tx) for run in incident["runs"]]

    def end_runs(self) -> None:
        """Let every run end as restored."""
        with self.database.write() as tx:
            tx.execute(sa.update(tables.run).values(state="finished", result="restored"))

    def open_notifications(self) -> int:
        """How many notifications will be looked at again, sooner or later."""
        with self.database.read() as tx:
            return len(notifications.due(tx, self.clock() + 10 * HOUR))

    def open_incidents(self) -> int:
        """How many incidents are not over."""
        with self.database.read() as tx:
            return [incident["state"] for incident in views.incidents(tx)].count("open")

    def watchdog(self) -> float | None:
        """When the last Watchdog was seen."""
        with self.database.read() as tx:
            return seen.last(tx, seen.WATCHDOG)

    def counted(self) -> dict[str, int]:
        """How many alerts there were, by outcome."""
        with self.database.read() as tx:
            return {labels["outcome"]: value for name, labels, value in read_all(tx) if name == "alerts"}

    def escalations(self) -> list[tuple[str, str]]:
        """Deployment and reason of each open escalation."""
        with self.database.read() as tx:
            return [(one["deployment"], one["reason"]) for one in views.open_escalations(tx)]
