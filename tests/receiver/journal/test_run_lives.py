"""What is remembered of a run's lives, its effect and its end, and who asked for it."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import incidents, runs, tables
from receiver.journal.database import Database
from receiver.model import Level, Proceed, Result, Trigger
from tests.receiver.journal.rows import (
    FINDINGS,
    LEASE,
    NOW,
    begin,
    claim,
    claimed,
)


def test_what_has_ended_says_when_and_where_it_was_reported(database: Database) -> None:
    """A run that has ended has no lease, an end, and its report's file; one of another incident goes on."""
    mine, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        runs.finish(tx, mine, NOW + 9, Result.RESTORED, "/logs/incident-1.md")
        row = tx.execute(sa.select(tables.run).where(tables.run.c.id == mine.id)).one()

        assert (row.finished_at, row.lease_until, row.report) == (NOW + 9, 0.0, "/logs/incident-1.md")
        assert (runs.active(tx, mine.incident), runs.active(tx, other.incident)) == (False, True)
        assert (runs.phase_under_way(tx, "qrl"), runs.phase_under_way(tx, "shop")) == (None, "evaluate")


def test_only_what_is_claimed_and_under_way_is_claimed(database: Database) -> None:
    """A deployment's run counts as its rollback from the claim on until it has ended, and for no other deployment."""
    mine, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        assert runs.claimed(tx, "qrl") is None
        runs.set_claimed(tx, mine, NOW)
        assert (runs.claimed(tx, "qrl"), runs.claimed(tx, "shop")) == (mine.id, None)
        runs.finish(tx, mine, NOW, Result.RESTORED, None)
        assert runs.claimed(tx, "qrl") is None
        assert runs.of_open_incidents(tx) == {mine.id, other.id}
        incidents.close(tx, mine.incident, NOW)
        assert runs.of_open_incidents(tx) == {other.id}


def test_an_effect_says_who_began_it_and_when(database: Database) -> None:
    """What cannot be taken back is found again by whom and when it was begun; another run has begun none."""
    mine, other = claimed(database), claimed(database, "shop")
    with database.write() as tx:
        assert runs.effect_of(tx, mine) is None
        runs.begin_effect(tx, mine, "here", NOW + 3)

        assert runs.effect_of(tx, mine) == runs.Effect("here", NOW + 3)
        assert runs.effect_of(tx, other) is None


def test_lives_count_until_the_run_waits(database: Database) -> None:
    """Each take-up counts as a life; a run that got as far as waiting has used up none."""
    begin(database)
    taken = [claim(database, NOW + LEASE * number) for number in range(3)]

    last = taken[-1]
    assert last is not None
    assert [run.lives for run in taken if run] == [1, 2, 3]
    with database.write() as tx:
        runs.wait(tx, last, NOW)
    again = claim(database, NOW + LEASE * 3)
    assert again is not None
    assert again.lives == 1


def test_lives_count_anew_from_each_step_that_is_done(database: Database) -> None:
    """What ended the process before was another step, so a run that gets on is not given up for it."""
    run = claimed(database)
    for number in range(1, 4):
        again = claim(database, NOW + LEASE * number)
        assert again is not None
        run = again
    with database.write() as tx:
        runs.begin_step(tx, run, "evaluate", 0, NOW)
        runs.finish_step(tx, run, "evaluate", NOW, Proceed(FINDINGS, "done"))
        runs.spare(tx, run)
    last = claim(database, NOW + LEASE * 4)
    assert last is not None
    assert (run.lives, last.lives) == (4, 1)


def test_a_spared_life_does_not_count(database: Database) -> None:
    """A life that ended without ending its process is taken back."""
    run = claimed(database)
    with database.write() as tx:
        runs.spare(tx, run)

    again = claim(database, NOW + LEASE)

    assert again is not None
    assert again.lives == 1


def test_a_request_carries_its_person_and_level(database: Database) -> None:
    """A run that a person asked for says who and what level."""
    with database.write() as tx:
        incidents.request(tx, "qrl", NOW, Level.FULL, "ada")

    run = claim(database)

    assert run is not None
    assert (run.trigger, run.wanted_level, run.requested_by) == (Trigger.OPERATOR, Level.FULL, "ada")
