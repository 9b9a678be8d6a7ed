"""Builds facts by hand, and reads them from a real journal, a real releases directory and a real disk."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from receiver.audit import AuditTrail
from receiver.config import load_config
from receiver.config.guardrails import Guardrails
from receiver.errors import AlertmanagerError, PrometheusError
from receiver.guardrails.facts import Facts
from receiver.journal import releases
from receiver.journal.database import Database, sqlite_url
from receiver.model import (
    Action,
    Backup,
    Branch,
    Decision,
    Findings,
    History,
    Level,
    Plan,
    Release,
    Run,
    Signal,
    Silence,
    Storm,
    Telemetry,
    Trigger,
)
from receiver.phases.gather import gather
from receiver.targets.releases import ReleasesDirectory
from receiver.world import World
from tests.receiver import migrated
from tests.receiver.surroundings import ToldTransactions, ToldTree

NOW = 1_800_000_000.0
PLAN = Plan("qrl", Level.FAST, "r2", "2" * 40, "r1", "1" * 40, ("/bin/true",), 60.0)
SERVICE_DOWN = Branch(
    "ServiceDown", "service_down", 1, Action.ROLLBACK, Level.FAST, 0.99, "fastapi", (("alertname", "ServiceDown"),)
)
AVAILABILITY = Signal("deployment:availability:ratio", None, 0.25, NOW - 5)


def facts(**changes: Any) -> Facts:
    """Facts to which every guardrail says yes, but for `changes`."""
    good = Facts(
        now=NOW,
        limits=Guardrails(),
        trigger=Trigger.ALERT,
        plan=PLAN,
        decided_branch="service_down",
        live_release="r2",
        live_release_unknown=None,
        live_since=NOW - 600,
        live_by_run=None,
        target=Release("r1", "1" * 40, live_since=NOW - 5000, good_at=NOW - 4000),
        irreversible=(),
        deploys=(),
        transactions=(),
        transactions_unknown=None,
        unusable_programs=(),
        firing=frozenset({"service_down"}),
        firing_unknown=None,
        signals=(AVAILABILITY,),
        signals_unknown=None,
        max_age=60.0,
        storm=Storm(frozenset({"qrl"}), frozenset()),
        storm_unknown=None,
        silences=(),
        silences_unknown=None,
        earlier_claims=(),
        latch=None,
        kill_switch=False,
        watchdog_seen=NOW - 30,
        serving_since=NOW - 5000,
        free_bytes=2_000_000_000,
        backup_bytes=1_000_000,
        backup_unknown=None,
        backup=Backup("/var/lib/rollback-agent/backups/state-1", 3, 1_000_000),
        backup_due=True,
    )
    return replace(good, **changes)


class Firing:
    """Stands where Prometheus stands: tells what fires, or that nobody knows."""

    def __init__(self) -> None:
        self.branches: tuple[Branch, ...] = (SERVICE_DOWN,)
        self.unknown: str | None = None
        self.age = 5.0
        """Seconds since the only signal was measured."""
        self.elsewhere = Storm(frozenset({"qrl"}), frozenset())

    def telemetry(self, deployment: str) -> Telemetry:
        """What fires on `qrl`."""
        if self.unknown is not None or deployment != "qrl":
            raise PrometheusError(self.unknown or f"nothing is known of {deployment}")
        now = time.time()
        return Telemetry(now, self.branches, (), (replace(AVAILABILITY, at=now - self.age),))

    def storm(self, dependencies: Iterable[str]) -> Storm:
        """What fires on all deployments."""
        if self.unknown is not None:
            raise PrometheusError(self.unknown)
        return replace(self.elsewhere, dependencies=self.elsewhere.dependencies & frozenset(dependencies))

    def samples(self, deployment: str, signal: str, since: float) -> dict[str, tuple[float, ...]]:  # noqa: ARG002
        """Nothing: no guardrail looks at samples."""
        return {}

    def history(self, deployment: str, since: float, until: float) -> tuple[History, ...]:  # noqa: ARG002
        """Nothing: no guardrail looks at the past."""
        return ()

    def fired(self, deployment: str, since: float, until: float) -> bool:  # noqa: ARG002
        """Nothing: no guardrail looks at the past."""
        return False


class Silences:
    """Stands where Alertmanager stands: tells what covers an alert by its `alertname`, or that nobody knows."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[Silence, ...]] = {}
        self.unknown: str | None = None

    def active_silences(self, labels: dict[str, str]) -> tuple[Silence, ...]:
        """What covers the alert."""
        if self.unknown is not None:
            raise AlertmanagerError(self.unknown)
        return self.of.get(labels["alertname"], ())


class Surroundings:
    """The world of one deployment below `directory`: r2 is live, r1 was live before it and is good."""

    def __init__(self, directory: Path) -> None:
        self.app = directory / "srv"
        for number in ("1", "2"):
            (self.app / "releases" / f"r{number}").mkdir(parents=True)
            (self.app / "releases" / f"r{number}" / "REVISION").write_text(number * 40)
        (self.app / "current").symlink_to("releases/r2")
        self.precious = directory / "precious.txt"
        self.precious.write_text("to be backed up")
        path = directory / "agent.yml"
        path.write_text(
            "root: state\nwebhook: {token_file: token}\nprometheus: {url: http://127.0.0.1:9}\n"
            "alertmanager: {url: http://127.0.0.1:9}\nguardrails: {disk_space: {minimum_bytes: 1}}\ndeployments:\n"
            "  qrl: {target: {releases: {path: srv, restart: [/bin/true]}}, backup: {paths: [precious.txt]}}\n"
        )
        config = load_config(path)
        config.logs.mkdir(parents=True)
        self.journal = config.root / "state.db"
        self.database = Database(sqlite_url(self.journal))
        migrated.make(self.database)
        with self.database.write() as tx:
            releases.seen(tx, "qrl", (Release("r1", "1" * 40), Release("r2", "2" * 40)), NOW)
            releases.set_good(tx, "qrl", "r1", NOW)
        self.firing = Firing()
        self.silences = Silences()
        self.transactions = ToldTransactions()
        audit = AuditTrail(config.audit_files, time.time)
        target = ReleasesDirectory(config.deployments["qrl"].target.adapter)
        self.world = World(
            deployment="qrl",
            config=config,
            settings=config.deployments["qrl"],
            database=self.database,
            prometheus=self.firing,
            tree=ToldTree(time.time),
            alertmanager=self.silences,
            transactions=(self.transactions,),
            target=target,
            audit=audit,
            clock=time.time,
            serving_since=time.time(),
            replica="here",
        )

    def read(
        self, plan: Plan = PLAN, decided: str = "service_down", made: Backup | None = None, backup_due: bool = False
    ) -> Facts:
        """The facts of this moment, as a phase reads them after this branch decided and this backup was made."""
        decision = Decision(decided, decided, Action.ROLLBACK, Level.FAST, 0.99, f"{decided} fires", (), ())
        found = Findings(decision=decision, backup=made)
        run = Run("run", "incident", "qrl", Trigger.ALERT, None, None, time.time(), None, 1, 1, 0, found)
        return gather(run, self.world, plan, backup_due=backup_due)

    def limit(self, guardrails: dict[str, Any]) -> None:
        """Replace the configuration of these guardrails."""
        limits = Guardrails.model_validate({"disk_space": {"minimum_bytes": 1}, **guardrails})
        config = self.world.config.model_copy(update={"guardrails": limits})
        self.world = replace(self.world, config=config)

    def ruin_the_journal(self) -> None:
        """Overwrite the journal's file with what is no database."""
        self.database.close()
        for file in self.journal.parent.glob("state.db*"):
            file.write_bytes(b"this is no database " * 500)
