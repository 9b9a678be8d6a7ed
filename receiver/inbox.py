"""Looks at stored notifications and at what fires by itself, and sees to it that each has its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import sqlalchemy as sa

from receiver.errors import JournalError, PrometheusError
from receiver.journal import escalations, hotfixes, incidents, notifications, seen
from receiver.journal.counts import bump
from receiver.journal.database import Database
from receiver.journal.notifications import StoredNotification
from receiver.log import get_log
from receiver.model import Demand, EscalationReason

SETTLE = 15.0
"""Seconds for which Prometheus may not show yet what Alertmanager knows: it sends an alert before it stores it."""
LOOK_AGAIN = 0.5
WATCHDOG = "Watchdog"
"""The alert that always fires: it shows that the way from Prometheus through Alertmanager works."""


class FiringSource(Protocol):
    """Prometheus, as the inbox sees it; raises PrometheusError."""

    def deciding(self) -> Mapping[str, Demand | None]:
        """The deployments on which any branch fires, with what decides; None where no branch can be read."""
        ...

    def telemetry(self, deployment: str) -> object:
        """What is known of the deployment; raises where Prometheus knows nothing of it."""
        ...


class Inbox:
    """The stored notifications of one journal, for the configured deployments."""

    def __init__(self, database: Database, prometheus: FiringSource, deployments: Mapping[str, object]) -> None:
        self._database = database
        self._prometheus = prometheus
        self._deployments = frozenset(deployments)

    def work_once(self) -> bool:
        """Look at every notification that is due; returns whether a run was begun or woken."""
        with self._database.read() as tx:
            now = self._database.now(tx)
            due = notifications.due(tx, now)
        if not due:
            return False
        try:
            firing: Mapping[str, Demand | None] | None = self._prometheus.deciding()
        except PrometheusError as error:
            get_log().error("what fires is not known", error=str(error))
            firing = None
        began, failed = False, []
        for notification in due:
            try:
                began |= self._look_at(notification, firing, now)
            except JournalError as error:  # it stays due; the others must not wait behind it
                failed.append(error)
        if failed:
            raise failed[0]  # so that the next look waits for a moment
        return began

    def reconcile(self) -> bool:
        """See to what fires although no notification told, and close the incidents of what is quiet."""
        with self._database.read() as tx:
            asked_at = self._database.now(tx)
        try:
            firing = self._prometheus.deciding()
        except PrometheusError as error:
            get_log().warning("what fires is not known", error=str(error))
            return False
        began = False
        for deployment in sorted(self._deployments):
            if deployment not in firing and not self._is_measured(deployment):
                continue  # not knowing is not quiet
            with self._database.write() as tx:
                now = self._database.now(tx)
                if deployment in firing and incidents.was_closed(tx, deployment, asked_at, now):
                    continue  # what fired may be what a rollback has just ended; the next look will tell
                if deployment in firing:
                    deciding = firing[deployment]
                    run = incidents.wake(tx, deployment, now, deciding=deciding)
                    run = run or incidents.resume(tx, deployment, now, deciding=deciding)
                    began = began or run is not None
                else:
                    incidents.close_quiet(tx, deployment, now)
                    over = hotfixes.close_quiet(tx, deployment, now)
                    if over is not None:
                        get_log().info("nothing fires, so a hotfix is over", deployment=deployment, was=over.state)
        return began

    def _is_measured(self, deployment: str) -> bool:
        try:
            self._prometheus.telemetry(deployment)
        except PrometheusError:
            return False
        return True

    def _look_at(
        self, notification: StoredNotification, firing: Mapping[str, Demand | None] | None, now: float
    ) -> bool:
        named = {
            str(alert["deployment"])
            for alert in notification.alerts
            if alert["status"] == "firing" and alert.get("branch") and alert.get("deployment") in self._deployments
        }
        has_settled = now >= notification.received_at + SETTLE
        # Prometheus decides whether they fire. What it cannot say, the run finds out too and asks a human.
        to_wake = {
            one for one in named if firing is None or one in firing or (has_settled and not self._is_measured(one))
        }
        with self._database.write() as tx:
            if notification.attempts == 0:
                self._count(tx, notification, now)
            began = [
                incidents.wake(
                    tx,
                    deployment,
                    now,
                    deciding=(firing or {}).get(deployment),
                    notified_at=notification.received_at,
                )
                is not None
                for deployment in sorted(to_wake)
            ]
            if named - to_wake and not has_settled:
                notifications.look_again(tx, notification.id, now + LOOK_AGAIN)
            else:
                notifications.conclude(tx, notification.id)
        if named - to_wake and has_settled:
            get_log().info("notified, but Prometheus shows no firing branch", deployments=sorted(named - to_wake))
        return any(began)

    def _count(self, tx: sa.Connection, notification: StoredNotification, now: float) -> None:
        for alert in notification.alerts:
            outcome = self._outcome(alert)
            bump(tx, "alerts", outcome=outcome)
            if outcome == "watchdog":
                seen.mark(tx, seen.WATCHDOG, notification.received_at)
            if outcome in ("unknown_deployment", "unknown_pattern"):
                deployment = str(alert.get("deployment") or "unknown")
                known = deployment if deployment in self._deployments else "unknown"
                summary = f"alert {alert.get('alertname') or '?'} ({outcome}) names deployment {deployment!r}"
                escalations.open_one(tx, known, EscalationReason.UNKNOWN_PATTERN, summary[:300], now)

    def _outcome(self, alert: dict[str, object]) -> str:
        if alert["status"] == "resolved":
            return "resolved"
        if alert.get("alertname") == WATCHDOG and not alert.get("branch"):
            return "watchdog"
        if alert.get("deployment") not in self._deployments:
            return "unknown_deployment"
        return "branch" if alert.get("branch") else "unknown_pattern"
