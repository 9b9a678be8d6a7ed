"""What the oracle of the crash tests finds in a journal that does not keep the promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.audit import AuditTrail
from receiver.audit_files import TrailFiles
from receiver.journal import escalations, notifications, runs, tables
from receiver.journal.database import Database, sqlite_url
from receiver.journal.schema import migrate
from receiver.model import EscalationReason, Proceed, Result, Stop
from tests.faults.oracle import Judgement, Seen, is_at_rest, judge
from tests.receiver.journal.rows import FINDINGS, NOW, claimed


@dataclass
class Ended:
    """A journal with one run of `qrl`, which had its command started, failed, and called a human."""

    database: Database
    trail: TrailFiles
    run: str
    seen: Seen

    def judge(self, **changes: object) -> Judgement:
        """The judgement where outside something else was seen."""
        return judge(self.database, self.trail, replace(self.seen, **changes))  # type: ignore[arg-type]


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Ended]:
    """One run that has come to its end as promised."""
    database = Database(sqlite_url(tmp_path / "state.db"))
    migrate(database)
    run = claimed(database)
    report = tmp_path / "report.md"
    report.write_text("all of it")
    with database.write() as tx:
        runs.begin_step(tx, run, "execute", 5, NOW)
        runs.set_claimed(tx, run, NOW)
        why = EscalationReason.ROLLBACK_FAILED
        escalations.open_one(tx, "qrl", why, "exit 3", NOW, incident=run.incident, run=run.id)
        runs.finish_step(tx, run, "execute", NOW, Stop(Result.FAILED, "exit 3", FINDINGS, why, latch=True))
        runs.finish_step(tx, run, "report", NOW, Proceed(FINDINGS, "told"))
        runs.finish(tx, run, NOW, Result.FAILED, str(report))
    with database.read() as tx:
        call = escalations.find(tx)[0].id
    trail = TrailFiles(tmp_path / "audit-trail.jsonl", tmp_path / "audit.key")
    AuditTrail(trail, lambda: NOW).record("execute:failed", "exit 3", run=run.id)
    seen = Seen({"qrl": 1}, Counter({run.id: 1}), frozenset((call,)), {"qrl": 2.0}, 3)
    yield Ended(database, trail, run.id, seen)
    database.close()


def test_a_run_that_ended_as_promised_breaks_nothing(ended: Ended) -> None:
    """It was accepted, executed once, has called a human once, and was counted."""
    found = ended.judge()
    assert (found.broken, found.accepted, found.results) == ((), 1, Counter({"failed": 1}))


def test_what_was_seen_outside_and_does_not_fit_is_found(ended: Ended) -> None:
    """A lost alert, a second run or start, a start without claim, a call that nobody heard, a wrong budget."""
    assert ended.judge(accepted={"qrl": 2}).lost == 1
    assert ended.judge(accepted={"qrl": 0}).broken == ("1 runs for 0 accepted alerts",)
    assert ended.judge(effects=Counter({ended.run: 2})).doubled == 1
    assert len(ended.judge(effects=Counter({"another": 1})).broken) == 1
    assert len(ended.judge(calls=frozenset()).broken) == 1
    assert len(ended.judge(budget={"qrl": 1.0}).broken) == 1


def damage(statement: sa.Executable) -> Callable[[Ended], None]:
    """What changes the journal."""

    def change(ended: Ended) -> None:
        with ended.database.write() as tx:
            tx.execute(statement)

    return change


def call_twice(ended: Ended) -> None:
    """Another question of the same run."""
    with ended.database.write() as tx:
        row = tx.execute(sa.select(tables.escalation)).one()._mapping
        tx.execute(sa.insert(tables.escalation).values({**row, "id": "second", "reason": "agent_failed"}))


def forge(ended: Ended) -> None:
    """Another reason on the trail."""
    trail = ended.trail.active
    trail.write_text(trail.read_text().replace("exit 3", "exit 0"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (damage(sa.delete(tables.escalation)), "nobody is called for run"),
        (call_twice, "several calls are open for run"),
        (damage(sa.update(tables.run).values(state="ready")), "has no end"),
        (damage(sa.update(tables.run).values(result=None)), "has no end"),
        (damage(sa.update(tables.run).values(report=None)), "has no report"),
        (damage(sa.update(tables.run).values(claimed_at=None)), "nothing was claimed for it"),
        (forge, "the audit trail does not hold"),
    ],
)
def test_damage_of_the_journal_is_found(ended: Ended, change: Callable[[Ended], None], says: str) -> None:
    """A run without end, report, claim or call, two calls for one run, a trail that was changed."""
    change(ended)
    assert [one for one in ended.judge().broken if says in one]


def test_nothing_is_at_rest_while_something_is_left_to_do(ended: Ended) -> None:
    """A human who was not reached yet, a notification, and a run keep a trial waiting."""
    assert not is_at_rest(ended.database)
    with ended.database.write() as tx:
        escalations.raised(tx, next(iter(ended.seen.calls)), NOW)
    assert is_at_rest(ended.database)
    with ended.database.write() as tx:
        stored = notifications.store(tx, NOW, (), 0)
    assert not is_at_rest(ended.database)
    with ended.database.write() as tx:
        notifications.conclude(tx, [stored])
    claimed(ended.database, "shop")
    assert not is_at_rest(ended.database)
