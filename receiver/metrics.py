"""The receiver's metrics of all that its journal holds, read at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.autonomy import in_force
from receiver.errors import JournalError
from receiver.escalate import LAPSES_AFTER, Delivery
from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import counts, deployments, drills, escalations, hotfixes, phase_totals, releases, seen, tables
from receiver.journal.database import Database
from receiver.journal.hotfixes import HotfixState
from receiver.kill_switch import look
from receiver.log import get_log
from receiver.metrics_of_earned import earned_metrics
from receiver.metrics_of_reviews import review_metrics
from receiver.metrics_of_runs import RecentRuns
from receiver.metrics_of_work import backlog_metrics
from receiver.model import Autonomy, EscalationReason, Level, Result
from receiver.retention.sweep import KIND_NAMES
from receiver.workflow import PHASES
from receiver.world import World

COUNTERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "notifications": (
        "rollback_notifications",
        "Webhook notifications by what became of them.",
        ("outcome",),
    ),
    "alerts": ("rollback_alerts", "Alerts in accepted notifications by what they were.", ("outcome",)),
    "decisions": (
        "rollback_decisions",
        "Decisions by deciding branch and outcome.",
        ("deployment", "branch", "outcome"),
    ),
    "runs": ("rollback_runs", "Ended runs by level and result.", ("deployment", "level", "result")),
    "refusals": ("rollback_refusals", "Refusals by guardrail.", ("deployment", "guardrail")),
    "escalations": ("rollback_escalations", "Escalations to a human by reason.", ("deployment", "reason")),
    "escalation_deliveries": (
        "rollback_escalation_deliveries",
        "Attempts to tell Alertmanager of an escalation by what became of them.",
        ("outcome",),
    ),
    "removed": ("rollback_retention_removed", "What was removed, being beyond the limits, by kind.", ("kind",)),
}
NOTIFICATION_OUTCOMES = ("accepted", "unauthorized", "invalid", "too_large", "failed")
ALERT_OUTCOMES = ("branch", "watchdog", "drill", "resolved", "unknown_deployment", "unknown_pattern", "invalid")
GUARDRAIL_NAMES = tuple(guardrail.__name__ for guardrail in GUARDRAILS)
PHASE_NAMES = (*(phase.__name__ for phase in PHASES), "report")


class CollectorInForce(Collector):
    """The collector of the configuration in force at each scrape."""

    def __init__(self, current: Callable[[], Collector]) -> None:
        self._current = current

    def describe(self) -> Iterator[Metric]:
        """Nothing: so that registering reads no journal."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What that collector gives."""
        yield from self._current().collect()


class JournalCollector(Collector):
    """Reads the journal when it is scraped; `before_read` brings counts that are still in memory into it.

    `fault` says why the journal cannot be written, or None.
    """

    def __init__(
        self,
        database: Database,
        worlds: Mapping[str, World],
        before_read: Callable[[], None],
        fault: Callable[[], str | None],
    ) -> None:
        self._database = database
        self._worlds = worlds
        self._before_read = before_read
        self._fault = fault
        self._recent_runs = RecentRuns()

    def describe(self) -> Iterator[Metric]:
        """Nothing: so that registering reads no journal."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All families; where the journal cannot be read only the gauge that says so.

        One that cannot be written is shown: who waits for a human is in it.
        """
        up = GaugeMetricFamily("rollback_journal_up", "Whether the journal can be written, and read for this scrape.")
        families: list[Metric] = []
        is_written = self._fault() is None
        try:
            if is_written:
                self._before_read()
        except JournalError as error:
            is_written = False
            get_log().error("the journal could not be written for a scrape", error=str(error))
        try:
            with self._database.read() as tx:
                families = [*self._counters(tx), *self._runs(tx), *self._deployments(tx), *self._releases(tx)]
                now = self._database.now(tx)
                families += [*self._announced(tx, now), *backlog_metrics(tx, now)]
                families += [*self._recent_runs.collect(tx, self._worlds), self._drills(tx)]
                families += [*review_metrics(tx, self._worlds), *earned_metrics(tx, self._worlds)]
        except JournalError as error:
            get_log().error("the journal could not be read for a scrape", error=str(error))
        up.add_metric((), float(is_written and bool(families)))
        yield up
        yield from families

    def _counters(self, tx: sa.Connection) -> Iterator[Metric]:
        found = self._zeros()
        for name, labels, value in counts.read_all(tx):
            # Another version of the program may have counted something else in the same journal.
            if name in COUNTERS and labels.keys() == set(COUNTERS[name][2]):
                found[name][tuple(labels[label] for label in COUNTERS[name][2])] = value
        for name, (metric, text, label_names) in COUNTERS.items():
            family = CounterMetricFamily(metric, text, labels=label_names)
            for values, count in sorted(found[name].items()):
                family.add_metric(values, count)
            yield family

    def _zeros(self) -> dict[str, dict[tuple[str, ...], int]]:
        """Every label set that is known before anything happens, so that a first increase can be seen."""
        return {
            "notifications": {(outcome,): 0 for outcome in NOTIFICATION_OUTCOMES},
            "alerts": {(outcome,): 0 for outcome in ALERT_OUTCOMES},
            "decisions": {},
            "runs": dict.fromkeys(product(self._worlds, ("none", *Level), Result), 0),
            "refusals": dict.fromkeys(product(self._worlds, GUARDRAIL_NAMES), 0),
            "escalations": dict.fromkeys(product(self._worlds, EscalationReason), 0),
            "escalation_deliveries": {(outcome,): 0 for outcome in Delivery},
            "removed": {(kind,): 0 for kind in KIND_NAMES},
        }

    def _runs(self, tx: sa.Connection) -> Iterator[Metric]:
        running = GaugeMetricFamily(
            "rollback_run_in_progress",
            "Whether a run of the deployment is in this phase.",
            labels=("deployment", "phase"),
        )
        table = tables.run
        phases = tx.execute(sa.select(table.c.deployment, table.c.phase).where(table.c.state != "finished")).all()
        for deployment in self._worlds:
            for phase in PHASE_NAMES:
                running.add_metric((deployment, phase), float((deployment, phase) in phases))
        yield running
        yield self._phase_durations(tx)

    def _phase_durations(self, tx: sa.Connection) -> Metric:
        family = HistogramMetricFamily("rollback_phase_duration_seconds", "How long phases took.", labels=("phase",))
        found = phase_totals.totals(tx)
        for phase in PHASE_NAMES:
            total = found.get(phase, phase_totals.NONE)
            buckets = [(str(bound), float(total.at_most(bound))) for bound in phase_totals.BUCKETS]
            family.add_metric((phase,), buckets=[*buckets, ("+Inf", total.count)], sum_value=total.microseconds / 1e6)
        return family

    def _deployments(self, tx: sa.Connection) -> Iterator[Metric]:
        one = ("deployment",)
        budget = GaugeMetricFamily("rollback_budget_remaining", "Rollbacks left in the period.", labels=one)
        cooldown = GaugeMetricFamily(
            "rollback_cooldown_end_timestamp_seconds", "When the cooldown ends (0: none began).", labels=one
        )
        last = GaugeMetricFamily(
            "rollback_last_run_timestamp_seconds", "When the last run began (0: never).", labels=one
        )
        latched = GaugeMetricFamily("rollback_latched", "Whether a human must clear the deployment first.", labels=one)
        autonomy = GaugeMetricFamily("rollback_autonomy_level", "The autonomy level in force, 1 to 4.", labels=one)
        pending = GaugeMetricFamily("rollback_approvals_pending", "Approvals that wait for a person.", labels=one)
        for name, world in self._worlds.items():
            limits = world.config.guardrails
            claims = deployments.claims_within(tx, name, limits.daily_limit.period, self._database.now(tx))
            budget.add_metric((name,), max(limits.daily_limit.limit - len(claims), 0))
            cooldown.add_metric((name,), claims[-1] + limits.cooldown.period if claims else 0)
            newest = sa.select(sa.func.max(tables.run.c.created_at)).where(tables.run.c.deployment == name)
            last.add_metric((name,), tx.execute(newest).scalar() or 0)
            latched.add_metric((name,), float(deployments.latch_of(tx, name) is not None))
            autonomy.add_metric((name,), 1 + list(Autonomy).index(in_force(tx, world.config, name)))
            waiting = (
                sa.select(sa.func.count())
                .select_from(tables.approval.join(tables.run, tables.approval.c.run == tables.run.c.id))
                .where(tables.run.c.deployment == name, tables.approval.c.state == "pending")
            )
            pending.add_metric((name,), tx.execute(waiting).scalar() or 0)
        yield from (budget, cooldown, last, latched, autonomy, pending, *self._open_escalations(tx))
        switch = GaugeMetricFamily("rollback_kill_switch", "Whether the kill switch is on, or cannot be looked at.")
        switch.add_metric((), float(any(look(world.config, tx)[0] is not False for world in self._worlds.values())))
        yield switch
        watchdog = GaugeMetricFamily(
            "rollback_watchdog_last_seen_timestamp_seconds", "When the last Watchdog was received (0: never)."
        )
        watchdog.add_metric((), seen.last(tx, seen.WATCHDOG) or 0)
        yield watchdog

    def _open_escalations(self, tx: sa.Connection) -> Iterator[Metric]:
        labels, now = ("deployment", "reason"), self._database.now(tx)
        waiting = GaugeMetricFamily("rollback_escalations_open", "Escalations that wait for an answer.", labels=labels)
        untold = GaugeMetricFamily(
            "rollback_escalations_undelivered", "Open escalations that Alertmanager does not have.", labels=labels
        )
        every = max((world.config.alertmanager.resend_every for world in self._worlds.values()), default=0.0)
        found = escalations.find(tx, only_open=True)
        is_open = Counter((one.deployment, one.reason) for one in found)
        is_untold = Counter(
            (one.deployment, one.reason) for one in found if (one.raised_at or 0.0) <= now - LAPSES_AFTER * every
        )
        for series in sorted({*product(self._worlds, EscalationReason), *is_open}):
            waiting.add_metric(series, is_open[series])
            untold.add_metric(series, is_untold[series])
        yield from (waiting, untold)

    def _releases(self, tx: sa.Connection) -> Iterator[Metric]:
        live = GaugeMetricFamily("release_info", "The live release.", labels=("deployment", "release", "commit"))
        since = GaugeMetricFamily(
            "release_timestamp_seconds", "When the live release went live.", labels=("deployment",)
        )
        good = GaugeMetricFamily(
            "rollback_release_good_info", "Releases that are known good.", labels=("deployment", "release")
        )
        held = GaugeMetricFamily(
            "rollback_held_release_info",
            "Releases that were rolled back and are held.",
            labels=("deployment", "release"),
        )
        for name in self._worlds:
            newest = releases.live(tx, name)
            if newest is not None:
                live.add_metric((name, newest.id, newest.commit or ""), 1)
                since.add_metric((name,), newest.live_since or 0)
            for release in releases.known(tx, name).values():
                if release.good_at is not None:
                    good.add_metric((name, release.id), 1)
                if release.held_at is not None:
                    held.add_metric((name, release.id), 1)
        yield from (live, since, good, held)

    def _drills(self, tx: sa.Connection) -> Metric:
        """Of each that can be done here, whether it ever was, and of each that was done well."""
        family = GaugeMetricFamily(
            "rollback_drill_last_success_timestamp_seconds",
            "When a drill last ended as it has to (0: never).",
            labels=("deployment", "scenario"),
        )
        last = drills.last_good(tx)
        for deployment, world in self._worlds.items():
            done = {name for where, name in last if where == deployment}
            configured = {name for name, drill in world.config.drills.items() if drill.deployment == deployment}
            for name in sorted(done | configured):
                family.add_metric((deployment, name), last.get((deployment, name), 0.0))
        return family

    def _announced(self, tx: sa.Connection, now: float) -> Iterator[Metric]:
        """What people and pipelines say of a deployment; the rules compare the deadline with the time."""
        one = ("deployment",)
        deploying = GaugeMetricFamily("release_in_progress", "Whether a deploy is under way.", labels=one)
        migration = GaugeMetricFamily(
            "release_migration_failed", "Whether the live release's database migration failed.", labels=one
        )
        deadline = GaugeMetricFamily(
            "rollback_hotfix_deadline_timestamp_seconds",
            "When the hotfix under way is due (0: none is under way).",
            labels=one,
        )
        failed = GaugeMetricFamily("rollback_hotfix_failed", "Whether a hotfix was reported failed.", labels=one)
        for name in self._worlds:
            live, hotfix = releases.live(tx, name), hotfixes.unresolved(tx, name)
            deploying.add_metric((name,), float(bool(releases.deploys_under_way(tx, name, now))))
            migration.add_metric((name,), float(bool(live and releases.has_failed_migration(tx, name, live.id))))
            has_failed = hotfix is not None and hotfix.state is HotfixState.FAILED
            deadline.add_metric((name,), hotfix.deadline if hotfix and not has_failed else 0)
            failed.add_metric((name,), float(has_failed))
        yield from (deploying, migration, deadline, failed)
