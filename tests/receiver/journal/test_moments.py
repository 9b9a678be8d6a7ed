"""Within one boot time is measured, not read off a clock that can be moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.journal import approvals, deployments, runs
from receiver.journal.database import Database, sqlite_url
from receiver.journal.moments import Moment, measured_between, since_boot
from tests.receiver import migrated
from tests.receiver.journal.rows import NOW, PLAN, begin, claim

DAY = 86400.0


class Machine:
    """A wall clock that can be moved, and a machine that has been up for a while."""

    def __init__(self) -> None:
        self.wall, self.boot, self.uptime = NOW, "first", 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds

    def reboot(self) -> None:
        self.boot, self.uptime = "second", 5.0


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def database(machine: Machine, tmp_path: Path) -> Iterator[Database]:
    """A journal on that machine."""
    opened = Database(sqlite_url(tmp_path / "state.db"), lambda: machine.wall, lambda: (machine.boot, machine.uptime))
    migrated.make(opened)
    yield opened
    opened.close()


def claimed_ago(database: Database) -> list[float]:
    """How long ago the claims of the last day were made."""
    with database.read() as tx:
        now = database.now(tx)
        return [now - at for at in deployments.claims_within(tx, "qrl", DAY, now)]


@pytest.mark.parametrize("jump", [0.0, 25 * 3600.0, -3600.0])
def test_a_claim_is_as_old_as_was_measured(database: Database, machine: Machine, jump: float) -> None:
    """However the wall clock was moved, a claim counts for its day, and not for longer."""
    begin(database)
    run = claim(database)
    assert run is not None
    with database.write() as tx:
        runs.set_claimed(tx, run, database.now(tx))
    machine.passes(100)
    machine.wall += jump

    assert claimed_ago(database) == [pytest.approx(100)]
    machine.passes(DAY)
    assert claimed_ago(database) == []


def test_after_a_reboot_the_wall_clock_counts(database: Database, machine: Machine) -> None:
    """How long the machine was off nobody has measured."""
    begin(database)
    run = claim(database)
    assert run is not None
    with database.write() as tx:
        runs.set_claimed(tx, run, database.now(tx))
    machine.passes(100)
    machine.reboot()

    assert claimed_ago(database) == [pytest.approx(100)]
    machine.passes(DAY)
    assert claimed_ago(database) == []


@pytest.mark.parametrize(("jump", "over"), [(0.0, False), (-3600.0, False), (3600.0, True)])
def test_an_approval_is_over_by_the_clock_that_is_ahead(
    database: Database, machine: Machine, jump: float, over: bool
) -> None:
    """A clock moved ahead ends it, one moved back does not lengthen it."""
    begin(database)
    run = claim(database)
    assert run is not None
    with database.write() as tx:
        now = database.now(tx)
        approval = approvals.ask(tx, run, PLAN, now, now + 900)
    machine.passes(800)
    machine.wall += jump

    with database.read() as tx:
        assert approval.is_over(database.now(tx)) is over
    machine.passes(100)
    with database.read() as tx:
        assert approval.is_over(database.now(tx))


def test_moments_of_different_boots_are_not_compared() -> None:
    """Neither are those of which only the wall clock is known."""
    first, second = Moment(NOW, "first", 100.0), Moment(NOW, "second", 200.0)
    assert measured_between(first, second) is None
    assert measured_between(NOW, first) is None
    assert measured_between(first, Moment(NOW, "first", 130.5)) == 30.5


def test_this_machine_tells_its_boot() -> None:
    """The kernel's boot id stays, and the time since then goes on."""
    earlier, later = since_boot(), since_boot()
    assert earlier is not None
    assert later is not None
    assert earlier[0] == later[0]
    assert 0 <= later[1] - earlier[1] < time.clock_gettime(time.CLOCK_BOOTTIME)
