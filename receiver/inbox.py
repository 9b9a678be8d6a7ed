"""Looks at stored notifications and at what fires by itself, and sees to it that each has its run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

import sqlalchemy as sa

from receiver.errors import JournalError, PrometheusError
from receiver.journal import drills, escalations, hotfixes, incidents, notifications, seen
from receiver.journal.counts import bump
from receiver.journal.database import Database
from receiver.journal.notifications import StoredNotification
from receiver.log import get_log
from receiver.model import Demand, EscalationReason

SETTLE = 15.0
"""Seconds for which Prometheus may not show yet what Alertmanager knows: it sends an alert before it stores it."""
LOOK_AGAIN = 0.5
DRILL = "RollbackDrill"
"""The alert by which a rehearsal sees that the way from Alertmanager to the inbox works; no rule has it."""
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
        now, due = self._due(None)
        if not due:
            return False
        try:
            firing: Mapping[str, Demand | None] | None = self._prometheus.deciding()
        except PrometheusError as error:
            get_log().error("what fires is not known", error=str(error))
            firing = None
        began = False
        while due:
            try:
                began = self._look_at(due, firing, now) or began
            except JournalError:
                return self._look_at_each(due, firing, now) or began
            _, due = self._due(now)
        return began

    def _due(self, at: float | None) -> tuple[float, tuple[StoredNotification, ...]]:
        with self._database.read() as tx:
            now = self._database.now(tx) if at is None else at
            return now, notifications.due(tx, now)

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

    def _look_at_each(
        self, due: Sequence[StoredNotification], firing: Mapping[str, Demand | None] | None, now: float
    ) -> bool:
        """One may be the reason why they could not be looked at together; it stays due, and the others go on."""
        began, failed = False, []
        for one in due:
            try:
                began |= self._look_at((one,), firing, now)
            except JournalError as error:
                failed.append(error)
        if failed:
            raise failed[0]  # so that the next look waits for a moment
        return began

    def _look_at(
        self, due: Sequence[StoredNotification], firing: Mapping[str, Demand | None] | None, now: float
    ) -> bool:
        """Look at notifications in one transaction: in a storm there are many, of a few deployments."""
        named = {one.id: self._named(one) for one in due}
        settled = [one for one in due if now >= one.received_at + SETTLE]
        # Prometheus decides whether they fire. What it cannot say, the run finds out too and asks a human.
        quiet = _union(named.values()) - firing.keys() if firing is not None else frozenset()
        given_up = {one for one in quiet & _union(named[one.id] for one in settled) if self._is_measured(one)}
        early = {one.id for one in due if one not in settled and named[one.id] & quiet}
        notified_at: dict[str, float] = {}
        for one in sorted(due, key=lambda one: one.received_at):
            for deployment in named[one.id] - (quiet if one.id in early else given_up):
                notified_at.setdefault(deployment, one.received_at)
        with self._database.write() as tx:
            self._count(tx, [one for one in due if one.attempts == 0], now)
            began = [
                incidents.wake(tx, name, now, deciding=(firing or {}).get(name), notified_at=notified_at[name])
                is not None
                for name in sorted(notified_at)
            ]
            notifications.look_again(tx, early, now + LOOK_AGAIN)
            notifications.conclude(tx, named.keys() - early)
        if given_up:
            get_log().info("notified, but Prometheus shows no firing branch", deployments=sorted(given_up))
        return any(began)

    def _named(self, notification: StoredNotification) -> frozenset[str]:
        """The deployments on which a branch fires, as the notification has it."""
        return frozenset(
            str(alert["deployment"])
            for alert in notification.alerts
            if alert["status"] == "firing" and self._outcome(alert) == "branch"
        )

    def _count(self, tx: sa.Connection, due: Sequence[StoredNotification], now: float) -> None:
        outcomes: Counter[str] = Counter()
        odd: dict[str, str] = {}
        for one in due:
            for alert in one.alerts:
                outcome = self._outcome(alert)
                outcomes[outcome] += 1
                if outcome == "watchdog":
                    seen.mark(tx, seen.WATCHDOG, one.received_at)
                if outcome == "drill":
                    drills.arrived(tx, str(alert.get("drill")), one.received_at)
                if outcome in ("unknown_deployment", "unknown_pattern"):
                    deployment = str(alert.get("deployment") or "unknown")
                    summary = f"alert {alert.get('alertname') or '?'} ({outcome}) names deployment {deployment!r}"
                    odd[summary[:300]] = deployment if deployment in self._deployments else "unknown"
        for outcome, count in outcomes.items():
            bump(tx, "alerts", count, outcome=outcome)
        # Of more than can be open at once, one more says that there were more.
        for summary, deployment in islice(odd.items(), escalations.MOST_OPEN + 1):
            escalations.open_one(tx, deployment, EscalationReason.UNKNOWN_PATTERN, summary, now)

    def _outcome(self, alert: dict[str, object]) -> str:
        if alert["status"] == "resolved":
            return "resolved"
        if alert.get("alertname") == WATCHDOG and not alert.get("branch"):
            return "watchdog"
        if alert.get("deployment") not in self._deployments:
            return "unknown_deployment"
        if alert.get("alertname") == DRILL:
            return "drill"
        return "branch" if alert.get("branch") else "unknown_pattern"


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
