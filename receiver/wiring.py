"""The one place that names concrete adapters and puts the parts together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.registry import CollectorRegistry

from receiver.announcements import Announcements
from receiver.app import Interface, RejectedCounts
from receiver.audit import AuditTrail
from receiver.config import Config
from receiver.inbox import Inbox
from receiver.journal.database import Database
from receiver.metrics import JournalCollector
from receiver.prometheus import Prometheus
from receiver.report import ReportWriter
from receiver.secret import SecretFile
from receiver.targets.releases import ReleasesDirectory
from receiver.workflow import Workflow
from receiver.world import World


@dataclass(frozen=True, slots=True)
class Parts:
    """The receiver, put together."""

    config: Config
    database: Database
    prometheus: Prometheus
    worlds: dict[str, World]
    inbox: Inbox
    workflow: Workflow
    audit: AuditTrail


def put_together(config: Config, database: Database, clock: Callable[[], float] = time.time) -> Parts:
    """Every part of the receiver but the HTTP interface."""
    prometheus = Prometheus(config.prometheus.url, config.prometheus.timeout, config.prometheus.max_age, clock)
    audit = AuditTrail(config.logs / "audit-trail.jsonl", clock)
    serving_since = clock()
    worlds = {
        name: World(
            deployment=name,
            config=config,
            settings=settings,
            database=database,
            prometheus=prometheus,
            target=ReleasesDirectory(settings.target.releases),
            audit=audit,
            clock=clock,
            serving_since=serving_since,
        )
        for name, settings in config.deployments.items()
    }
    report = ReportWriter(config.logs, database, clock)
    return Parts(
        config=config,
        database=database,
        prometheus=prometheus,
        worlds=worlds,
        inbox=Inbox(database, prometheus, config.deployments),
        workflow=Workflow(database, worlds, audit, report.write),
        audit=audit,
    )


def interface(parts: Parts, notify: Callable[[], None], is_ready: Callable[[], bool]) -> Interface:
    """What the HTTP interface needs of the parts."""
    rejected = RejectedCounts(parts.database)
    registry = CollectorRegistry()
    registry.register(JournalCollector(parts.database, parts.worlds, rejected.flush))
    token, pipeline = SecretFile(parts.config.webhook.token_file), parts.config.pipeline
    announcements = Announcements(parts.database, parts.audit, parts.config.deployments)
    pipeline_token = SecretFile(pipeline.token_file) if pipeline else None
    return Interface(parts.database, token, registry, rejected, notify, is_ready, announcements, pipeline_token)
