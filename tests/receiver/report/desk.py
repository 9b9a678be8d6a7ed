"""A journal with one run, and the writer of its report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from receiver.audit import AuditTrail
from receiver.errors import PrometheusError
from receiver.journal import approvals, escalations, incidents, refusals, runs
from receiver.journal.database import Database, sqlite_url
from receiver.model import (
    Action,
    Decision,
    EscalationReason,
    Findings,
    History,
    Level,
    Plan,
    Proceed,
    Result,
    Run,
    Signal,
    Stop,
)
from receiver.report.writer import ReportWriter
from tests.receiver import migrated
from tests.receiver.surroundings import configuration
from tests.receiver.trails import trail_files

NOW = 1_795_446_245.0
RATIO = "deployment:availability:ratio"


class Desk:
    """A journal with one run, and the writer of its report."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = NOW
        self.past: tuple[History, ...] = ()
        self.unknown: str | None = None
        self.config = configuration(directory, web={"external_url": "https://rollback.example"})
        self.config.logs.mkdir()
        self.database = Database(sqlite_url(directory / "state.db"), lambda: self.now)
        migrated.make(self.database)
        self.audit = AuditTrail(trail_files(directory), lambda: self.now)
        with self.database.write() as tx:
            incidents.wake(tx, "qrl", self.now, notified_at=self.now - 1, deciding=None)
            run = runs.claim(tx, "worker", self.now, 15.0)
        assert run is not None
        self.run: Run = run

    def step(
        self, name: str, position: int, outcome: Proceed | Stop, escalation: EscalationReason | None = None
    ) -> None:
        """Journal a phase that took two seconds."""
        with self.database.write() as tx:
            runs.begin_step(tx, self.run, name, position, self.now)
            self.now += 2
            runs.finish_step(tx, self.run, name, self.now, outcome)
            refusals.record(tx, self.run, name, outcome.findings.refusals, self.now)
            if escalation is not None:
                escalations.open_one(
                    tx, "qrl", escalation, "a human is needed", self.now, incident=self.run.incident, run=self.run.id
                )
        self.run = replace(self.run, findings=outcome.findings)

    def approve(self, person: str, at: float) -> None:
        """A person confirms the plan."""
        with self.database.write() as tx:
            plan = self.run.findings.require_plan()
            approval = approvals.ask(tx, self.run, plan, NOW, NOW + 900)
            assert approvals.approve(tx, approval, at, approvals.Voter(person, "page"), plan.hash, "looks right")

    def another_run(self) -> Run:
        """A run of another deployment."""
        with self.database.write() as tx:
            incidents.wake(tx, "shop", self.now, deciding=None)
            run = runs.claim(tx, "worker", self.now, 15.0)
        assert run is not None
        return run

    def told_past(self, _deployment: str, _since: float, _until: float) -> tuple[History, ...]:
        """What Prometheus would tell of the past, or that it cannot be asked."""
        if self.unknown:
            raise PrometheusError(self.unknown)
        return self.past

    def report(self, result: Result, reason: str) -> str:
        """The text of the report that is written."""
        writer = ReportWriter(lambda: self.config, self.database, self.audit, lambda: self.now, self.told_past)
        return Path(writer.write(self.run, result, reason)).read_text(encoding="utf-8")


def decided(reason: str = "ServiceDown fires on fastapi in Prometheus (rank 1)") -> Findings:
    """What a run knows after `evaluate`."""
    signals = (Signal(RATIO, None, 0.333333, NOW), Signal("service:availability:ratio", "fastapi", 0.0, NOW))
    decision = Decision(
        "service_down", "ServiceDown", Action.ROLLBACK, Level.FAST, 0.99, reason, ("high_error_rate",), signals
    )
    return Findings(decision, Plan("qrl", Level.FAST, "r2", "2" * 40, "r1", "1" * 40, ("/bin/true",), 60.0))
