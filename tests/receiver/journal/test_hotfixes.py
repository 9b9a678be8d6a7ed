"""A deployment has one hotfix at a time, and one that failed does not lie in wait for the errors of another day."""

from __future__ import annotations

import pytest

from receiver.journal import hotfixes
from receiver.journal.database import Database
from receiver.journal.hotfixes import LINGERS, Hotfix, HotfixState
from tests.receiver.journal.rows import NOW, at_once, contents

CALLERS = 20
ETA = 600.0


def test_of_twenty_starts_at_once_one_is_taken(database: Database) -> None:
    """However many people and pipelines announce a hotfix in the same moment, one is under way."""
    started = at_once(CALLERS, lambda number: start(database, NOW, f"caller {number}"))

    (taken,) = [hotfix for hotfix in started if hotfix is not None]
    assert len(contents(database)["hotfix"]) == 1
    assert unresolved(database) == taken


def test_of_twenty_starts_that_replace_a_failed_one_one_is_taken(database: Database) -> None:
    """Taking the place of one that failed is no way around that."""
    start(database)
    end(database, HotfixState.FAILED, NOW + 1)

    started = at_once(CALLERS, lambda _: start(database, NOW + 2))

    assert len([hotfix for hotfix in started if hotfix is not None]) == 1
    assert states(database) == ["over", "running"]


def test_a_hotfix_tells_who_until_when_and_why(database: Database) -> None:
    """What was announced is kept as it was."""
    found = start(database, NOW, "ada", "a missing index")

    assert found is not None
    assert found == Hotfix(found.id, "qrl", NOW, "ada", NOW + ETA, HotfixState.RUNNING, None, None, "a missing index")
    assert unresolved(database) == found


def test_a_second_one_waits_for_the_deadline_of_the_first(database: Database) -> None:
    """Up to its deadline a hotfix keeps another one out; past it, it is replaced, and is over."""
    start(database)

    assert start(database, NOW + ETA - 1) is None
    assert start(database, NOW + ETA) is not None
    assert states(database) == ["over", "running"]


def test_deployments_have_hotfixes_of_their_own(database: Database) -> None:
    """One deployment's hotfix neither keeps out nor ends another's."""
    start(database)
    with database.write() as tx:
        assert hotfixes.start(tx, "shop", NOW, ETA, "ada", "") is not None
        assert hotfixes.end(tx, "shop", NOW + 1, HotfixState.DONE, "ada") is not None

    assert states(database) == ["done", "running"]


def test_done_ends_it_also_past_its_deadline_and_after_a_failure(database: Database) -> None:
    """Whoever says at last that it helps is believed; it is resolved then, and there is nothing more to end."""
    start(database)
    done = end(database, HotfixState.DONE, NOW + ETA + 1)
    assert done is not None
    assert (done.state, done.ended_at, done.ended_by) == (HotfixState.DONE, NOW + ETA + 1, "grace")
    assert (unresolved(database), end(database, HotfixState.DONE, NOW + ETA + 2)) == (None, None)

    start(database, NOW + ETA + 3)
    end(database, HotfixState.FAILED, NOW + ETA + 4)
    assert end(database, HotfixState.DONE, NOW + ETA + 5) is not None


def test_failed_stays_unresolved_and_is_said_once(database: Database) -> None:
    """A hotfix that failed still counts, since its failure is what a rollback waits for."""
    start(database)
    failed = end(database, HotfixState.FAILED, NOW + 1)

    assert failed == unresolved(database)
    assert end(database, HotfixState.FAILED, NOW + 2) is None


@pytest.mark.parametrize("state", [HotfixState.DONE, HotfixState.FAILED])
def test_without_one_there_is_nothing_to_end(database: Database, state: HotfixState) -> None:
    """Nothing can be said of a hotfix that nobody announced."""
    assert end(database, state, NOW) is None


def test_many_answers_at_once_end_it_once(database: Database) -> None:
    """Of several people who say in the same moment that it failed, one did."""
    start(database)

    ended = at_once(CALLERS, lambda _: end(database, HotfixState.FAILED, NOW + 1))

    assert len([hotfix for hotfix in ended if hotfix is not None]) == 1


def test_a_rollback_ends_what_was_to_be_mended(database: Database) -> None:
    """After the switch the hotfix is over, running or failed, and who said that it failed is kept."""
    start(database)
    switch(database, NOW + 1)
    start(database, NOW + 2)
    end(database, HotfixState.FAILED, NOW + 3)
    switch(database, NOW + 4)

    assert unresolved(database) is None
    assert [row[5:8] for row in sorted(contents(database)["hotfix"], key=lambda row: row[2])] == [
        ("over", NOW + 1, "rollback-agent"), ("over", NOW + 3, "grace"),
    ]  # fmt: skip


def test_quiet_ends_an_overdue_one_after_its_time(database: Database) -> None:
    """In quiet a hotfix runs on, is overdue for the time that its rules need, and then is over."""
    start(database)

    for moment in (NOW, NOW + ETA, NOW + ETA + LINGERS - 1):
        assert close_quiet(database, moment) is None
    assert unresolved(database) is not None
    over = close_quiet(database, NOW + ETA + LINGERS)

    assert over is not None
    assert (over.state, unresolved(database), states(database)) == (HotfixState.RUNNING, None, ["over"])


def test_quiet_ends_a_failed_one_after_its_time(database: Database) -> None:
    """The time of one that failed counts from when that was said, whatever its deadline was."""
    start(database)
    end(database, HotfixState.FAILED, NOW + 1)

    assert close_quiet(database, NOW + LINGERS) is None
    assert close_quiet(database, NOW + 1 + LINGERS) is not None
    assert close_quiet(database, NOW + 2 + LINGERS) is None


def start(database: Database, now: float = NOW, person: str = "ada", comment: str = "") -> Hotfix | None:
    with database.write() as tx:
        return hotfixes.start(tx, "qrl", now, ETA, person, comment)


def end(database: Database, state: HotfixState, now: float) -> Hotfix | None:
    with database.write() as tx:
        return hotfixes.end(tx, "qrl", now, state, "grace")


def switch(database: Database, now: float) -> None:
    with database.write() as tx:
        hotfixes.close_switched(tx, "qrl", now)


def close_quiet(database: Database, now: float) -> Hotfix | None:
    with database.write() as tx:
        return hotfixes.close_quiet(tx, "qrl", now)


def unresolved(database: Database) -> Hotfix | None:
    with database.read() as tx:
        return hotfixes.unresolved(tx, "qrl")


def states(database: Database) -> list[str]:
    return sorted(row[5] for row in contents(database)["hotfix"])
