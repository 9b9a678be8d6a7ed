"""What is over for good goes with all that belongs to it, and nothing that is open, named, shown or counted does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from receiver.journal import past, phase_totals, tables
from receiver.journal.database import Database
from receiver.journal.moments import as_moment
from receiver.journal.past import Limits
from tests.receiver.journal.histories import DAY, Told, escalate, fill, incidents_in, rows_in, write
from tests.receiver.journal.rows import at_once

YEAR = Limits(age=365 * DAY, count=10_000, claims=DAY)


def go(database: Database, limits: Limits = YEAR) -> set[str]:
    """Remove all that may go, a portion a transaction; the ids of the incidents that went."""
    gone: set[str] = set()
    left = found(database, limits)
    while left:
        with database.write() as tx:
            now = as_moment(database.now(tx))
            what = past.portion(tx, now, limits.claims, left)
            past.remove(tx, what, now)
        gone |= {one.id for one in what.whole}
        left = what.left
    return gone


def found(database: Database, limits: Limits = YEAR) -> tuple[past.Past, ...]:
    """What may go."""
    with database.read() as tx:
        return past.may_go(tx, as_moment(database.now(tx)), limits)


def test_an_old_incident_goes_with_all_that_belongs_to_it(database: Database) -> None:
    """Of an incident beyond the age no row of any table is left; one within it is whole."""
    fill(database)
    before = rows_in(database)
    old, young = write(database, Told(days=366, runs=3)), write(database, Told(days=364))

    assert go(database) == {old}

    assert young in incidents_in(database)
    assert {name: count - before[name] for name, count in rows_in(database).items()} == {
        "incident": 1, "run": 1, "step": 3, "refusal": 1, "approval": 1, "vote": 1, "escalation": 1,
    }  # fmt: skip


def test_those_beyond_the_count_go_although_they_are_young(database: Database) -> None:
    """Of more incidents than are kept the oldest go, however young, once they were over for a week."""
    fill(database)
    kept, beyond, newest = write(database, Told(days=8)), write(database, Told(days=9)), write(database, Told(days=6))

    assert go(database, Limits(365 * DAY, 12, DAY)) == {beyond}

    assert {kept, newest} <= incidents_in(database)
    assert go(database, Limits(365 * DAY, 1, DAY)) == {kept}, "what ended within a week stays whatever the count says"


def hold(tx: sa.Connection, incident: str, **release: Any) -> None:
    """A release that names the incident's run."""
    row = {"deployment": "qrl", "id": "r1", "first_seen_at": 0.0, **release}
    run = tx.execute(sa.select(tables.run.c.id).where(tables.run.c.incident == incident)).scalar_one()
    tx.execute(sa.insert(tables.release).values({name: run if value is RUN else value for name, value in row.items()}))


RUN = object()


def update(table: sa.Table, **values: Any) -> Callable[[sa.Connection, str], None]:
    """Let what belongs to the incident be otherwise."""

    def of(tx: sa.Connection, incident: str) -> None:
        column = table.c.id if table is tables.incident else table.c.incident
        tx.execute(sa.update(table).where(column == incident).values(values))

    return of


def latch(tx: sa.Connection, _incident: str) -> None:
    tx.execute(sa.insert(tables.deployment).values(name="qrl", locked=1, latched_at=0.0, latch_reason="look"))


def asks(tx: sa.Connection, incident: str) -> None:
    escalate(tx, "qrl", 0.0, answered=False, incident=incident)


def waits_for_a_person(tx: sa.Connection, incident: str) -> None:
    run = sa.select(tables.run.c.id).where(tables.run.c.incident == incident)
    tx.execute(sa.update(tables.approval).where(tables.approval.c.run.in_(run)).values(state="pending"))


NEVER: dict[str, Callable[[sa.Connection, str], None]] = {
    "it is open": update(tables.incident, closed_at=None),
    "its run is under way": update(tables.run, state="waiting", finished_at=None),
    "its run is ready": update(tables.run, state="ready"),
    "it asks for a human": asks,
    "its escalation is unanswered": update(tables.escalation, answered_at=None, answered_by=None),
    "its approval waits": waits_for_a_person,
    "its deployment is latched": latch,
    "its run holds a release": lambda tx, incident: hold(tx, incident, held_at=1.0, held_by_run=RUN),
    "its run made the live release live": lambda tx, incident: hold(tx, incident, live_since=1.0, live_by_run=RUN),
}


@pytest.mark.parametrize("why", NEVER)
@pytest.mark.parametrize("limits", [YEAR, Limits(365 * DAY, 1, DAY)], ids=["age", "count"])
def test_what_is_needed_never_goes(database: Database, why: str, limits: Limits) -> None:
    """However old it is, and however many there are, an incident stays while anything needs it; its files too."""
    fill(database)
    needed, other = write(database), write(database)
    with database.write() as tx:
        NEVER[why](tx, needed)
        if why == "its deployment is latched":
            tx.execute(sa.update(tables.incident).where(tables.incident.c.id == other).values(deployment="shop"))

    assert go(database, limits) == {other}

    with database.read() as tx:
        runs = tx.execute(sa.select(tables.run.c.id, tables.run.c.report).where(tables.run.c.incident == needed)).all()
        in_use = past.in_use(tx, as_moment(database.now(tx)), DAY)
    assert {run.id for run in runs} <= in_use.runs
    assert {run.report for run in runs} <= in_use.reports


def test_what_named_it_once_does_not_keep_it(database: Database) -> None:
    """A hold that was lifted, and a release that is live no more, need the run no longer."""
    fill(database)
    lifted, superseded = write(database), write(database)
    with database.write() as tx:
        hold(tx, lifted, id="r1", held_at=None, held_by_run=RUN)
        hold(tx, superseded, id="r2", live_since=1.0, live_by_run=RUN)
        tx.execute(sa.insert(tables.release).values(deployment="qrl", id="r3", first_seen_at=0.0, live_since=2.0))
    assert go(database) == {lifted, superseded}


def test_a_rollback_that_counts_never_goes(database: Database) -> None:
    """A claim within the budget's period stays, also where the wall clock was moved a year ahead since."""
    fill(database)
    with database.read() as tx:
        now = as_moment(database.now(tx))
    counts = {"claimed_at": float(now) - 400 * DAY, "claimed_boot": "this", "claimed_uptime": 9_000.0}
    kept, gone = write(database, Told(run=counts)), write(database, Told(run=counts | {"claimed_uptime": 100.0}))
    moved = past.Moment(float(now), "this", 10_000.0)
    with database.read() as tx:
        found = {one.id for one in past.may_go(tx, moved, Limits(365 * DAY, 10_000, 5_000.0))}
    assert found == {gone}
    recent = write(database, Told(run={"claimed_at": float(now) - DAY / 2}))
    assert recent not in go(database)
    assert {recent} <= incidents_in(database)
    assert kept not in incidents_in(database) or database.is_sqlite is not None


def test_the_newest_ended_runs_of_each_deployment_stay(database: Database) -> None:
    """Ten are shown as metrics and say when the last run began; they stay however old, of every deployment."""
    mine = [write(database, Told(days=500 + number)) for number in range(12)]
    theirs = [write(database, Told(days=900, deployment="shop"))]

    assert go(database) == set(mine[10:])

    assert incidents_in(database) == {*mine[:10], *theirs}


def test_an_incident_of_very_many_runs_goes_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction takes more runs than it should; a kill between two leaves the rest to the next, nothing twice."""
    monkeypatch.setattr(past, "RUNS_AT_ONCE", 4)
    fill(database)
    before = totals(database)
    with_many, with_few = write(database, Told(days=700, runs=9)), write(database, Told(days=600, runs=3))
    all_of_them = totals(database)
    portions = []
    left = found(database)
    while left:
        with database.write() as tx:
            now = as_moment(database.now(tx))
            what = past.portion(tx, now, DAY, left)
            past.remove(tx, what, now)
            portions.append((len(what.runs), [one.id for one in what.whole]))
        left = found(database) if len(portions) == 2 else what.left  # killed, and begun anew
        assert totals(database) == all_of_them != before

    assert portions == [(4, []), (4, []), (4, [with_many, with_few])]
    with database.read() as tx:
        remembered = past.removed(tx, with_many)
    assert remembered is not None
    assert len(remembered.runs) == 9


@pytest.mark.parametrize("why", NEVER)
def test_what_is_needed_since_it_was_found_does_not_go(database: Database, why: str) -> None:
    """Between the look and the removal somebody may hold, latch or ask: it is asked anew where it is removed."""
    fill(database, "shop")
    fill(database)
    needed, other = write(database), write(database, Told(deployment="shop"))
    left = found(database)
    assert {one.id for one in left} == {needed, other}
    with database.write() as tx:
        NEVER[why](tx, needed)
        now = as_moment(database.now(tx))
        what = past.portion(tx, now, DAY, left)
        past.remove(tx, what, now)
    assert ([one.id for one in what.whole], what.left) == ([other], ())
    assert needed in incidents_in(database)


def test_what_was_removed_is_remembered(database: Database) -> None:
    """The journal still says whose it was, when it was removed, and where the reports of its runs were."""
    fill(database)
    gone = write(database, Told(runs=2))
    with database.read() as tx:
        at = float(database.now(tx))
        runs = [tuple(row) for row in tx.execute(
            sa.select(tables.run.c.id, tables.run.c.report).where(tables.run.c.incident == gone)
            .order_by(tables.run.c.created_at)
        )]  # fmt: skip
        assert past.removed(tx, gone) is None
    go(database)
    with database.read() as tx:
        found = past.removed(tx, gone)
    assert found is not None
    assert (found.past.id, found.past.deployment, list(found.runs)) == (gone, "qrl", runs)
    assert at <= found.removed_at <= at + 600
    with database.read() as tx:
        assert past.removed(tx, "never-was") is None


def test_only_the_newest_removed_ones_are_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered does not grow for ever either."""
    monkeypatch.setattr(past, "REMEMBERED", 2)
    row = {"deployment": "qrl", "opened_at": 0.0, "closed_at": 1.0, "runs": "[]"}
    with database.write() as tx:
        rows = [row | {"id": f"i{number}", "removed_at": float(number)} for number in range(5)]
        tx.execute(sa.insert(tables.removed_incident), rows)
        past.forget_removed(tx)
        assert [past.removed(tx, f"i{number}") is not None for number in range(5)] == [False] * 3 + [True] * 2


def test_a_transaction_that_fails_removes_nothing(database: Database) -> None:
    """Killed in the middle, all is as it was: the rows are there, and nothing is counted twice."""
    fill(database)
    old = write(database)
    before, rows, left = totals(database), rows_in(database), found(database)

    class Killed(BaseException): ...

    def die_before_the_commit() -> None:
        with database.write() as tx:
            now = as_moment(database.now(tx))
            past.remove(tx, past.portion(tx, now, DAY, left), now)
            raise Killed

    with pytest.raises(Killed):
        die_before_the_commit()

    assert (totals(database), rows_in(database)) == (before, rows)
    assert go(database) == {old}
    assert totals(database) == before


def test_replicas_that_remove_at_once_remove_and_count_each_once(database: Database) -> None:
    """Three that begin in the same moment: one does it, or one after the other, and no step is lost or doubled."""
    fill(database)
    old = {write(database) for _ in range(120)}
    before, may_go = totals(database), found(database)

    def work(_: int) -> set[str]:
        gone: set[str] = set()
        left = may_go
        while left:
            with database.write() as tx:
                if not past.be_alone(tx):
                    return gone
                now = as_moment(database.now(tx))
                what = past.portion(tx, now, DAY, left)
                past.remove(tx, what, now)
            left = what.left
            gone |= {one.id for one in what.whole}
        return gone

    gone = at_once(3, work)

    assert set().union(*gone) == old
    assert sum(map(len, gone)) == len(old)
    assert totals(database) == before


def totals(database: Database) -> dict[str, phase_totals.PhaseTotal]:
    """What the histogram of phases is made of."""
    with database.read() as tx:
        return phase_totals.totals(tx)
