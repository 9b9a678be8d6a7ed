"""The agent of the property test: its command leaves evidence, and it can be interrupted wherever it may be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from receiver.errors import AuditError, PrometheusError
from receiver.inbox import Inbox
from receiver.journal import tables, views
from receiver.journal.database import insert_new
from receiver.journal.views import View
from receiver.model import Action, Branch, Demand, Level
from receiver.operators import Operators
from receiver.workflow import Workflow
from receiver.world import Audit, World
from tests.receiver.agent import Agent, Killed
from tests.receiver.promises.model import TREE, Command, Told
from tests.receiver.surroundings import Clock, ToldPrometheus, branch

RIVAL = "rivals"
"""The incident that stands for what other replicas have done."""

_SWITCH = 'echo "$1" >> "$2"'
SCRIPTS = {
    Command.SWITCHES: _SWITCH,
    Command.HELPS_NOT: _SWITCH,
    Command.FAILS: "exit 3",
    Command.FAILS_LATE: f"{_SWITCH}; exit 3",
    Command.LIES: "true",
    Command.LOST: "kill -9 $PPID",
    Command.LOST_LATE: f"{_SWITCH}; kill -9 $PPID",
}


class Moment(StrEnum):
    """Where the agent can be interrupted."""

    PHASE = "before a phase"
    QUESTION = "at a question to Prometheus"
    READ = "when the live release is read"
    RECORD = "before a record"
    RECORDED = "after a record"


@dataclass(slots=True)
class Interruption:
    """What happens at one moment of those of these kinds, counted from 1."""

    at: int
    kinds: frozenset[Moment]
    happens: Callable[[], None]
    has_happened: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What the command itself has left of one start."""

    run: str
    how: Command
    plan: dict[str, Any]
    last_record: dict[str, Any]
    """The end of the audit trail when it began."""


class TickingClock(Clock):
    """Passes only when a test says so, and a millisecond a look, so that no two moments are the same.

    It is ahead of the clock of the files that a command leaves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = time.time() + 600

    def __call__(self) -> float:
        """The time."""
        self._now += 0.001
        return self._now + self.ahead


class _WatchedAudit:
    """The audit trail, with the moments around each record."""

    def __init__(self, trail: Audit, happens: Callable[[Moment], None]) -> None:
        self._trail = trail
        self._happens = happens

    def record(self, decision: str, reasoning: str, **about: Any) -> None:
        """Write it."""
        self._happens(Moment.RECORD)
        self._trail.record(decision, reasoning, **about)
        self._happens(Moment.RECORDED)


class _Firing:
    """Prometheus, as the inbox sees it."""

    def __init__(self, prometheus: ToldPrometheus) -> None:
        self._prometheus = prometheus

    def deciding(self) -> Mapping[str, Demand | None]:
        """What decides on the one deployment."""
        if self._prometheus.error is not None:
            raise self._prometheus.error
        first = min(self._prometheus.firing, key=lambda one: one.precedence, default=None)
        return {} if first is None else {"qrl": Demand(first.branch, first.action)}

    def telemetry(self, deployment: str) -> object:
        """What is known of it."""
        return self._prometheus.telemetry(deployment)


class Stage(Agent):
    """An agent whose moments are watched; `seen` is called at each of them."""

    def __init__(self, root: Path, seen: Callable[[], None], **settings: Any) -> None:
        self.interruption: Interruption | None = None
        self._seen = seen
        self._moments = 0
        self._went_live: dict[int, float] = {}
        super().__init__(root, TickingClock(), **settings)
        self._evidence = root / "evidence"
        self.world = replace(self.world, audit=_WatchedAudit(self.world.audit, self._happens))
        self.prometheus.when_asked = lambda _: self._happens(Moment.QUESTION)
        self.target.when_read = lambda: self._happens(Moment.READ)
        self.target.since = lambda: self._went_live.setdefault(len(self.target.lines()), self.clock())
        self.inbox = Inbox(self.database, _Firing(self.prometheus), {"qrl": None})
        self.operators = Operators(self.database, self.world.audit, self.config)
        self.new_process()

    def new_process(self) -> Workflow:
        """A workflow as a new process would have it, with the moments before its phases."""

        def find_world(_deployment: str) -> World:
            self._happens(Moment.PHASE)
            return self.world

        self.workflow = Workflow(self.database, find_world, self.world.audit, self.report.write)
        return self.workflow

    def tell(self, firing: Iterable[str], telemetry: Told) -> None:
        """Let Prometheus say so from now on."""
        told = self.prometheus
        told.firing = tuple(_branch(name) for name in sorted(firing))
        told.error = PrometheusError("it is gone") if telemetry is Told.NOTHING else None
        told.availability = None if telemetry is Told.NO_VALUE else 0.25 if told.firing else 1.0
        told.health = {} if telemetry is Told.NO_VALUE else {"flask": (1.0, 1.0, 1.0)}
        told.samples_at = (lambda: 1000.0) if telemetry is Told.OLD else self.clock
        told.quiet = not told.firing

    def use_command(self, how: Command) -> None:
        """Let the command of the next plan behave like this, once it has left its evidence."""
        trail = self.config.audit_files.active
        run = 'basename "$(dirname "$ROLLBACK_PLAN")"'
        evidence = f'{{ {run}; tr -d "\\n" < "$ROLLBACK_PLAN"; echo; tail -n 1 "{trail}"; }} >> "{self._evidence}"'
        self.target.script = f": {how}; {evidence}; {SCRIPTS[how]}"

    def effects(self) -> list[Effect]:
        """Every start of a command, as it told of itself."""
        lines = self._evidence.read_text().splitlines() if self._evidence.exists() else []
        found = []
        for run, told, record in zip(*[iter(lines)] * 3, strict=True):
            plan = json.loads(told)
            how = Command(plan["command"][2].split(";")[0].removeprefix(": "))
            found.append(Effect(run, how, plan, json.loads(record)))
        return found

    def claims(self) -> dict[str, float]:
        """When each run of the deployment has claimed its rollback, on whichever replica; oldest first."""
        run = tables.run
        query = sa.select(run.c.id, run.c.claimed_at).where(run.c.claimed_at.is_not(None)).order_by(run.c.claimed_at)
        with self.database.read() as tx:
            return {row.id: row.claimed_at for row in tx.execute(query)}

    def rival_claims(self) -> None:
        """Another replica claims a rollback of the deployment in the same moment."""
        now = self.clock()
        of_rival = {"id": f"rival {now}", "incident": RIVAL, "deployment": "qrl"}
        with self.database.write() as tx:
            insert_new(tx, tables.incident, {"id": RIVAL, "deployment": "qrl", "opened_at": 0.0, "closed_at": 0.0})
            row = {"trigger": "alert", "created_at": now, "state": "finished", "phase": "report", "wake_at": now}
            tx.execute(sa.insert(tables.run).values(**of_rival, **row, result="restored", claimed_at=now))

    def begun(self, but: Collection[str] = ()) -> list[str]:
        """The runs, oldest first, without those that are known."""
        run = tables.run
        query = sa.select(run.c.id).where(run.c.incident != RIVAL).order_by(run.c.created_at)
        with self.database.read() as tx:
            return [id_ for id_ in tx.execute(query).scalars() if id_ not in but]

    def view(self, run: str) -> View:
        """What is told of a run."""
        with self.database.read() as tx:
            incident = tx.execute(sa.select(tables.run.c.incident).where(tables.run.c.id == run)).scalar_one()
            shown = views.incident(tx, incident)
        assert shown is not None
        return {**next(one for one in shown["runs"] if one["id"] == run), "incident": incident}

    def bring_on(self) -> None:
        """Work on whatever is due until nothing is."""
        while self.workflow.work_once():
            pass

    def interrupt(self, interruption: Interruption | None) -> None:
        """Count its moments from now on."""
        self.interruption, self._moments = interruption, 0

    def _happens(self, moment: Moment) -> None:
        self._seen()
        waits = self.interruption
        if waits is None or waits.has_happened or moment not in waits.kinds:
            return
        self._moments += 1
        if self._moments == waits.at:
            waits.has_happened = True
            waits.happens()


def kill() -> None:
    """The process ends."""
    raise Killed


def fail_to_record() -> None:
    """The record does not get on disk."""
    raise AuditError("the audit trail cannot be written: the disk is full")


def _branch(name: str) -> Branch:
    leaf = TREE[name]
    level = Level(leaf.level) if leaf.level else None
    return branch(name, Action(leaf.action), rank=leaf.rank, level=level, confidence=leaf.confidence)
