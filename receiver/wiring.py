"""The one place that names concrete adapters and puts the parts together."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from receiver.alertmanager import Alertmanager
from receiver.announcements import Announcements
from receiver.app import Interface, RejectedCounts
from receiver.audit import AGENT, AuditTrail
from receiver.audit_watch import AuditWatch
from receiver.authentication import Access
from receiver.config import Config
from receiver.config.deployment import Deployment
from receiver.config.targets import (
    Adapter,
    ComposeTarget,
    HelmTarget,
    KubernetesTarget,
    ReleasesTarget,
    ScriptTarget,
    SystemdTarget,
)
from receiver.current import Current, NeedsRestart
from receiver.doctor.monitoring import Monitoring
from receiver.escalate import Escalator
from receiver.inbox import Inbox
from receiver.journal.database import Database
from receiver.journal_watch import JournalWatch
from receiver.metrics import CollectorInForce, JournalCollector
from receiver.metrics_of_process import AuditCollector, ReloadCollector, RetentionCollector
from receiver.model import History
from receiver.operators import Operators
from receiver.prometheus import Prometheus
from receiver.prometheus_api import PrometheusApi
from receiver.report.writer import ReportWriter
from receiver.retention.store import Store
from receiver.retention.sweep import Sweep
from receiver.reviewing import Reviewers
from receiver.rules.api import RulesApi
from receiver.secret import SecretFile
from receiver.targets.compose import ComposeProject
from receiver.targets.helm import HelmRelease
from receiver.targets.kubernetes import Deployments
from receiver.targets.releases import ReleasesDirectory
from receiver.targets.script import Scripts
from receiver.targets.systemd import Units
from receiver.tls import Tls
from receiver.transactions.command import CommandTransactions
from receiver.transactions.postgresql import PostgresqlTransactions
from receiver.transactions.sqlite import SqliteTransactions
from receiver.tree.snapshot import LONGEST, TreeReader
from receiver.web.key import session_key
from receiver.web.site import Site
from receiver.web_config import load_web_config
from receiver.workflow import Workflow
from receiver.world import Target, TransactionSource, World


@dataclass(frozen=True, slots=True)
class Setup:
    """What is built from one configuration, and replaced with it."""

    config: Config
    prometheus: Prometheus
    worlds: dict[str, World]
    inbox: Inbox
    escalator: Escalator
    announcements: Announcements
    operators: Operators
    reviewers: Reviewers
    access: Access
    tls: Tls | None
    metrics: JournalCollector


@dataclass(frozen=True, slots=True)
class Parts:
    """The receiver, put together."""

    database: Database
    current: Current[Setup]
    workflow: Workflow
    rejected: RejectedCounts
    audit_watch: AuditWatch
    journal_watch: JournalWatch
    sweep: Sweep
    audit: AuditTrail
    serving_since: float


def put_together(
    config: Config, database: Database, clock: Callable[[], float] = time.time, replica: str = ""
) -> Parts:
    """Every part of the receiver but the HTTP interface; `replica` is the one that serves."""
    audit = AuditTrail(config.audit_files, clock)
    rejected = RejectedCounts(database)
    journal_watch = JournalWatch(database)
    serving_since = clock()

    speaks_tls = bool(load_web_config(config.web.config_file).tls_server_config)

    def build(config: Config) -> Setup:
        web = load_web_config(config.web.config_file)
        if bool(web.tls_server_config) != speaks_tls:
            raise NeedsRestart("whether TLS is spoken cannot change while the agent runs; restart it")
        prometheus = Prometheus(config.prometheus.url, config.prometheus.timeout, config.prometheus.max_age, clock)
        told = alertmanager(config)
        tree = TreeReader(RulesApi(PrometheusApi(config.prometheus.url, min(config.prometheus.timeout, LONGEST))))
        worlds = {
            name: World(
                deployment=name,
                config=config,
                settings=settings,
                database=database,
                prometheus=prometheus,
                tree=tree,
                alertmanager=told,
                transactions=_transactions(config, settings),
                target=_target(settings.target.adapter),
                audit=audit,
                clock=clock,
                serving_since=serving_since,
                replica=replica,
            )
            for name, settings in config.deployments.items()
        }
        return Setup(
            config=config,
            prometheus=prometheus,
            worlds=worlds,
            inbox=Inbox(database, prometheus, config.deployments),
            escalator=Escalator(database, told, config),
            announcements=Announcements(database, audit, config.deployments),
            access=Access(config, web, time.monotonic),
            tls=Tls(web.tls_server_config) if web.tls_server_config else None,
            operators=Operators(database, audit, config),
            reviewers=Reviewers(database, audit, config),
            metrics=JournalCollector(database, worlds, rejected.flush, lambda: journal_watch.fault),
        )

    current = Current(config, build, clock)

    def find_world(deployment: str) -> World | None:
        return current().worlds.get(deployment)

    def past(deployment: str, since: float, until: float) -> tuple[History, ...]:
        return current().prometheus.history(deployment, since, until)

    report = ReportWriter(lambda: current().config, database, audit, clock, past)
    workflow = Workflow(database, find_world, audit, report.write, owner=replica)
    sweep = Sweep(lambda: Store(current().config, database, audit, clock, AGENT))
    watched = AuditWatch(audit.files)
    return Parts(database, current, workflow, rejected, watched, journal_watch, sweep, audit, serving_since)


def tls_context(parts: Parts) -> Callable[[], ssl.SSLContext] | None:
    """What gives the context of the next connection, or None where no TLS is spoken."""
    if parts.current().tls is None:
        return None

    def context() -> ssl.SSLContext:
        tls = parts.current().tls
        if tls is None:
            raise LookupError("a reload ended TLS, which it must not")
        return tls.context()

    return context


def _target(config: Adapter) -> Target:
    """What reads and rolls back a deployment that is configured like this."""
    match config:
        case ReleasesTarget():
            return ReleasesDirectory(config)
        case ScriptTarget():
            return Scripts(config)
        case KubernetesTarget():
            return Deployments(config)
        case HelmTarget():
            return HelmRelease(config)
        case SystemdTarget():
            return Units(config)
        case ComposeTarget():
            return ComposeProject(config)


def _transactions(config: Config, settings: Deployment) -> tuple[TransactionSource, ...]:
    """Where open transactions of a deployment are looked for."""
    limits, where = config.guardrails.pending_transactions, settings.pending_transactions
    files = settings.backup.sqlite if where.sqlite is None else where.sqlite
    found: list[TransactionSource] = [SqliteTransactions(file, limits.older_than) for file in files]
    if where.postgresql:
        url = SecretFile(where.postgresql.url_file)
        found.append(PostgresqlTransactions(url, limits.older_than, limits.timeout))
    if where.command:
        found.append(CommandTransactions(where.command, limits.timeout))
    return tuple(found)


def history(config: Config, timeout: float) -> PrometheusApi:
    """What the configured Prometheus remembers; `timeout` (seconds) is for each answer."""
    return PrometheusApi(config.prometheus.url, timeout)


def rules_api(config: Config) -> RulesApi:
    """The rules that the configured Prometheus has loaded; needs no journal."""
    return RulesApi(PrometheusApi(config.prometheus.url, config.prometheus.timeout))


def monitoring(config: Config) -> Monitoring:
    """The configured Prometheus and Alertmanager, as they themselves are configured."""
    return Monitoring(rules_api(config), alertmanager(config))


def alertmanager(config: Config) -> Alertmanager:
    """The configured Alertmanager; needs no journal."""
    return Alertmanager(config.alertmanager.url, config.alertmanager.timeout)


def interface(
    parts: Parts, notify: Callable[[], None], why_not_ready: Callable[[], str | None], load: Callable[[], Config]
) -> Interface:
    """What the HTTP interface needs of the parts; `load` reads the configuration again, for a reload."""
    current = parts.current
    registry = CollectorRegistry()
    registry.register(CollectorInForce(lambda: current().metrics))
    registry.register(ReloadCollector(current))
    registry.register(AuditCollector(lambda: parts.audit_watch.state))
    registry.register(RetentionCollector(parts.sweep))
    ProcessCollector(registry=registry)
    return Interface(
        database=parts.database,
        announcements=lambda: current().announcements,
        access=lambda: current().access,
        operators=lambda: current().operators,
        registry=registry,
        rejected=parts.rejected,
        notify=notify,
        why_not_ready=why_not_ready,
        reload=lambda: current.reload(load),
        site=Site(parts.database, current, parts.serving_since, session_key(current().config.root / "web.key")),
    )
