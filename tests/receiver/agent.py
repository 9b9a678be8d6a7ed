"""The whole workflow on one deployment, driven by hand: a real journal, audit trail, report, backup and command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from receiver.journal import approvals, deployments, escalations, incidents, releases, seen, views
from receiver.journal.approvals import ApprovalState, Voter
from receiver.journal.database import Database, sqlite_url
from receiver.journal.views import View
from receiver.model import Demand, Level, Release
from receiver.report.writer import ReportWriter
from receiver.workflow import LEASE, Workflow
from tests.receiver import migrated
from tests.receiver.surroundings import (
    BAD,
    GOOD,
    Clock,
    FileTarget,
    ToldPrometheus,
    branch,
    configuration,
    surroundings,
)

MOST_STEPS = 100
"""After so many steps at one moment a run goes round in circles."""


class Killed(BaseException):
    """Ends the process that a test plays, as kill -9 would: nothing after it runs."""


class Agent:
    """An agent that watches `qrl`, where GOOD was live, BAD is, and ServiceDown fires until GOOD is live again."""

    def __init__(self, root: Path, clock: Clock | None = None, **settings: Any) -> None:
        self.clock = clock or Clock()
        self.database = Database(sqlite_url(root / "state.db"), self.clock)
        migrated.make(self.database)
        self.config = configuration(root, **settings)
        self.prometheus = ToldPrometheus(self.clock)
        self.prometheus.firing = (branch(),)
        self.prometheus.availability = 0.25
        self.prometheus.when_asked = self.heal
        self.target = FileTarget(root / "releases")
        self.world = surroundings(self.config, self.database, self.prometheus, self.target, self.clock)
        self.hears_watchdog = True
        self.report = ReportWriter(
            lambda: self.config, self.database, self.world.audit, self.clock, self.prometheus.history
        )
        self.workflow = self.new_process()
        for release in (GOOD, BAD):
            self.target.ship(release)
        with self.database.write() as tx:
            releases.seen(tx, "qrl", (Release(GOOD, "c" * 40), Release(BAD, "d" * 40)), self.clock())
            releases.set_good(tx, "qrl", GOOD, self.clock())

    def new_process(self) -> Workflow:
        """A workflow as a new process would have it."""
        self.workflow = Workflow(self.database, {"qrl": self.world}.get, self.world.audit, self.report.write)
        return self.workflow

    def heal(self, _question: int) -> None:
        """The alert clears and all is well once GOOD is live again."""
        if self.executed() and self.target.lines()[-1] == GOOD:
            self.prometheus.firing = ()
            self.prometheus.availability = 1.0

    # What happens.

    def wake(self) -> str | None:
        """Prometheus shows a branch, and the inbox has seen it."""
        first = min(self.prometheus.firing, key=lambda one: one.precedence, default=None)
        deciding = first and Demand(first.branch, first.action)
        with self.database.write() as tx:
            return incidents.wake(tx, "qrl", self.clock(), deciding=deciding)

    def request(self, level: Level = Level.FAST) -> None:
        """A person asks for a rollback."""
        with self.database.write() as tx:
            assert incidents.request(tx, "qrl", self.clock(), level, "ada")

    def work(self) -> View:
        """Work on whatever is due until nothing is; the newest run."""
        for _ in range(MOST_STEPS):
            if not self.workflow.work_once():
                return self.run()
        raise AssertionError(f"after {MOST_STEPS} steps there is still something to do")

    def wait(self, seconds: float) -> View:
        """Let time pass, in which a Watchdog comes if any is heard, and work."""
        self.clock.advance(seconds)
        if self.hears_watchdog:
            self.hear_watchdog()
        return self.work()

    def hear_watchdog(self) -> None:
        """A Watchdog has come."""
        with self.database.write() as tx:
            seen.mark(tx, seen.WATCHDOG, self.clock())

    def go(self) -> View:
        """Wake and work."""
        self.wake()
        return self.work()

    def die_and_return(self) -> View:
        """The process is killed at work, and another takes the run up when its lease has ended."""
        try:
            self.work()
        except Killed:
            self.new_process()
            self.prometheus.when_asked = self.heal
            return self.wait(LEASE + 1)
        raise AssertionError("nothing killed it")

    def decide(self, state: ApprovalState, comment: str = "I looked") -> bool:
        """A person answers the plan of the newest run."""
        with self.database.write() as tx:
            approval = approvals.of_run(tx, self.run()["id"])
            assert approval is not None
            if state is ApprovalState.DENIED:
                return approvals.deny(tx, approval, self.clock(), "ada", comment)
            voter = Voter("ada", "page")
            return bool(approvals.approve(tx, approval, self.clock(), voter, approval.plan_hash[:8], comment))

    # What can be seen of it.

    def run(self) -> View:
        """The newest run."""
        with self.database.read() as tx:
            runs = [run for incident in views.incidents(tx) for run in incident["runs"]]
        newest: View = max(runs, key=lambda run: run["created_at"])
        return newest

    def escalated(self, only_open: bool = False) -> list[str]:
        """The reasons for which a human was asked."""
        with self.database.read() as tx:
            return [str(one.reason) for one in escalations.find(tx, only_open=only_open)]

    def latch(self) -> str | None:
        """Why the deployment is latched, if it is."""
        with self.database.read() as tx:
            found = deployments.latch_of(tx, "qrl")
        return found.reason if found else None

    def held(self) -> list[str]:
        """The releases that are held."""
        with self.database.read() as tx:
            return [one.id for one in releases.known(tx, "qrl").values() if one.held_at is not None]

    def audited(self) -> list[str]:
        """The decisions on the audit trail."""
        return [record["decision"] for record in self.audit_records()]

    def audit_records(self) -> list[dict[str, Any]]:
        """The whole audit trail."""
        file = self.config.logs / "audit-trail.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    def executed(self) -> list[str]:
        """The releases that a rollback has made live."""
        return self.target.lines()[2:]
