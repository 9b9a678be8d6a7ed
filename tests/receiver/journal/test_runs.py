"""Runs are claimed by one worker at a time, and only the worker that holds a run can write to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from receiver.errors import LostLease
from receiver.journal import runs, views
from receiver.journal.database import Database
from receiver.model import EscalationReason, Findings, Proceed, Result, Run, Stop, Trigger
from tests.receiver.journal.rows import (
    FINDINGS,
    LEASE,
    NOW,
    at_once,
    begin,
    claim,
    claimed,
    contents,
)

Write = Callable[[sa.Connection, Run], object]

STOP = Stop(Result.FAILED, "it failed", Findings(), EscalationReason.ROLLBACK_FAILED)
WRITES: dict[str, Write] = {
    "renew": lambda tx, run: runs.renew(tx, run, NOW + 999),
    "begin_step": lambda tx, run: runs.begin_step(tx, run, "guard", 1, NOW),
    "finish_step": lambda tx, run: runs.finish_step(tx, run, "evaluate", NOW, Proceed(FINDINGS, "done")),
    "stop": lambda tx, run: runs.finish_step(tx, run, "evaluate", NOW, STOP),
    "set_claimed": lambda tx, run: runs.set_claimed(tx, run, NOW),
    "wait": lambda tx, run: runs.wait(tx, run, NOW + 1),
    "begin_effect": lambda tx, run: runs.begin_effect(tx, run, "one", NOW),
    "spare": runs.spare,
    "finish": lambda tx, run: runs.finish(tx, run, NOW, Result.RESTORED, "report.md"),
}


def test_a_new_run_is_ready_at_once(database: Database) -> None:
    """A run that an alert began can be claimed in the same moment and knows where it comes from."""
    id_ = begin(database)

    run = claim(database)

    assert run is not None
    assert (run.id, run.deployment, run.trigger, run.created_at) == (id_, "qrl", Trigger.ALERT, NOW)
    assert (run.wanted_level, run.requested_by, run.notified_at) == (None, None, NOW)
    assert run.findings == Findings()


def test_what_is_due_longest_is_claimed_first(database: Database) -> None:
    """Runs are taken in the order in which they became due, and not before."""
    late, early, future = (begin(database, name, NOW + offset) for name, offset in (("a", -1), ("b", -2), ("c", 1)))

    first, second, third = (claim(database) for _ in range(3))

    assert first is not None
    assert second is not None
    assert ([first.id, second.id], third) == ([early, late], None)
    later = claim(database, NOW + 1)
    assert later is not None
    assert later.id == future


def test_two_claimers_get_different_runs(database: Database) -> None:
    """Many workers that look at the same moment never hold the same run."""
    begun = {begin(database, f"d{number}") for number in range(8)}

    found = at_once(16, lambda number: claim(database, owner=f"w{number}"))

    ids = [run.id for run in found if run is not None]
    assert len(ids) == len(set(ids))
    assert set(ids) <= begun
    while (run := claim(database)) is not None:
        ids.append(run.id)
    assert sorted(ids) == sorted(begun)


def test_a_lease_keeps_others_away_until_it_ends(database: Database) -> None:
    """A held run is nobody else's; once its lease has ended another takes it over with a newer token."""
    mine = claimed(database)

    assert claim(database, NOW + LEASE - 0.001, "two") is None
    theirs = claim(database, NOW + LEASE, "two")

    assert theirs is not None
    assert (theirs.id, theirs.token, theirs.lives) == (mine.id, mine.token + 1, 2)


def test_a_renewed_lease_lasts_longer(database: Database) -> None:
    """Renewing moves the end of the lease."""
    mine = claimed(database)
    with database.write() as tx:
        runs.renew(tx, mine, NOW + 100)

    assert claim(database, NOW + 99, "two") is None
    assert claim(database, NOW + 100, "two") is not None


def test_ended_leases_are_free_at_once(database: Database) -> None:
    """A start takes up what an earlier process of its replica held, and nothing that another one holds."""
    mine = claimed(database)
    with database.write() as tx:
        runs.end_leases(tx, "two")
    assert claim(database) is None
    with database.write() as tx:
        runs.end_leases(tx, "one")

    again = claim(database)

    assert again is not None
    assert (again.id, again.token) == (mine.id, mine.token + 1)


def test_one_that_takes_nothing_over_takes_its_own_and_what_is_free(database: Database) -> None:
    """Where others may not have been able to renew their leases, an ended one says nothing of them."""
    mine = claimed(database)

    def take(owner: str) -> Run | None:
        with database.write() as tx:
            return runs.claim(tx, owner, NOW + LEASE, LEASE, takes_over=False)

    assert take("two") is None
    again = take("one")
    assert again is not None
    assert again.id == mine.id
    free = begin(database, "shop")
    taken = take("two")
    assert taken is not None
    assert taken.id == free
    with database.write() as tx:
        runs.end_leases(tx, "one")
        runs.wait(tx, taken, NOW + LEASE)
    given_back = [take(owner) for owner in ("two", "one")]
    assert [run.id for run in given_back if run] == [mine.id, free]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_old_holder_can_write_nothing(database: Database, write: Write) -> None:
    """Whoever lost the run is told so at every kind of write, and the journal stays as the new holder has it."""
    old = _at_work(database)
    assert claim(database, NOW + LEASE, "two") is not None
    before = contents(database)

    with pytest.raises(LostLease, match=f"run {old.id} was taken over by another worker"), database.write() as tx:
        write(tx, old)

    assert contents(database) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_holder_can_write(database: Database, write: Write) -> None:
    """The same writes go through for the one who holds the run."""
    mine = _at_work(database)
    before = contents(database)

    with database.write() as tx:
        write(tx, mine)

    assert contents(database) != before


def test_the_holder_can_ask_whether_it_still_is(database: Database) -> None:
    """Before what cannot be taken back the holder is told whether the run is another's by now."""
    run = claimed(database)
    with database.write() as tx:
        runs.still_held(tx, run)
    assert claim(database, NOW + LEASE, "two") is not None

    with pytest.raises(LostLease), database.write() as tx:
        runs.still_held(tx, run)


def test_a_waiting_run_is_due_at_its_time(database: Database) -> None:
    """A run that waits holds no lease and is due again when it said."""
    mine = claimed(database)
    with database.write() as tx:
        runs.wait(tx, mine, NOW + 5)

    assert claim(database, NOW + 4.9) is None
    assert claim(database, NOW + 5) is not None


def test_a_clock_that_has_gone_back_keeps_no_run_waiting(database: Database) -> None:
    """A run that seems to wait an hour waits for a clock that was set back; no phase waits so long, so it is due."""
    mine = claimed(database)
    with database.write() as tx:
        runs.wait(tx, mine, NOW + runs.LONGEST_WAIT)

    assert claim(database, NOW) is None
    assert claim(database, NOW - 3600) is not None


def test_a_waiting_step_says_what_it_waits_for(database: Database) -> None:
    """What the step waits for can be shown to a person while it does."""
    run = _at_work(database)
    with database.write() as tx:
        runs.wait(tx, run, NOW + 5, "evaluate", "for better times")

    with database.read() as tx:
        (view,) = views.incidents(tx)
    (step,) = view["runs"][0]["steps"]
    assert (step["state"], step["summary"]) == ("started", "for better times")


def test_a_wake_makes_a_waiting_run_due_now(database: Database) -> None:
    """Whatever wakes a waiting run makes it due before its time."""
    mine = claimed(database)
    with database.write() as tx:
        runs.wait(tx, mine, NOW + 50)
    with database.write() as tx:
        assert runs.wake(tx, mine.incident, NOW + 1)

    assert claim(database, NOW + 1) is not None


def test_a_wake_is_for_one_incident(database: Database) -> None:
    """What wakes the run of one incident leaves the run of another waiting."""
    mine, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        runs.wait(tx, mine, NOW + 50)
        runs.wait(tx, other, NOW + 50)
    with database.write() as tx:
        runs.wake(tx, mine.incident, NOW + 1)

    woken = claim(database, NOW + 1)

    assert woken is not None
    assert (woken.id, claim(database, NOW + 1)) == (mine.id, None)


def test_a_wake_between_claim_and_wait_is_not_lost(database: Database) -> None:
    """An answer that comes while the phase still looks makes the run due at once, although it asked to wait."""
    mine = claimed(database)
    with database.write() as tx:
        runs.wake(tx, mine.incident, NOW)
    with database.write() as tx:
        runs.wait(tx, mine, NOW + 50)

    again = claim(database, NOW)

    assert again is not None
    with database.write() as tx:
        runs.wait(tx, again, NOW + 50)
    assert claim(database, NOW + 1) is None, "the same wake must not wake it twice"


def test_nothing_wakes_what_has_ended(database: Database) -> None:
    """A finished run is neither woken nor claimed."""
    mine = claimed(database)
    with database.write() as tx:
        runs.finish(tx, mine, NOW, Result.RESTORED, None)

    with database.write() as tx:
        assert not runs.wake(tx, mine.incident, NOW)
    assert claim(database, NOW + 999) is None


def _at_work(database: Database) -> Run:
    """A claimed run in its first step."""
    run = claimed(database)
    with database.write() as tx:
        runs.begin_step(tx, run, "evaluate", 0, NOW)
    return run
