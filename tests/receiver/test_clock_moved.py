"""A wall clock that is moved (libfaketime) refills no budget, ends no cooldown and lengthens no approval."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.journal import approvals, incidents, releases, runs
from receiver.journal.database import Database, open_database
from receiver.model import Level, Result, Trigger
from tests.receiver import migrated
from tests.receiver.journal.rows import PLAN
from tests.receiver.surroundings import FileTarget

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Database]:
    """A journal as `serve` opens it."""
    database = open_database(tmp_path)
    migrated.make(database)
    yield database
    database.close()


def at(clock: str, what: str, root: Path) -> list[str] | bool:
    """What a process whose clock is moved says."""
    argv = [sys.executable, "-m", "tests.receiver.journal.elsewhen", what, root]
    environment = {"PATH": os.environ["PATH"], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    moved = ["faketime", "-f", clock] if clock else []
    done = subprocess.run(
        [*moved, *argv], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said: list[str] | bool = json.loads(done.stdout)
    return said


def deploy(database: Database, root: Path) -> None:
    """r2 is live, and r1 before it was good."""
    target = FileTarget(root / "releases")
    for release in ("r1", "r2"):
        target.ship(release)
    with database.write() as tx:
        releases.seen(tx, "qrl", target.known(), database.now(tx))
        releases.set_good(tx, "qrl", "r1", database.now(tx))


def claim(database: Database, times: int) -> None:
    """So many runs of the deployment have just claimed, and one more is ready."""
    with database.write() as tx:
        now = database.now(tx)
        assert incidents.request(tx, "qrl", now, Level.FAST, "ada")
        incident = incidents.open_incident(tx, "qrl")
        assert incident is not None
        for _ in range(times):
            run = runs.claim(tx, "earlier", now, 600)
            assert run is not None
            runs.set_claimed(tx, run, now)
            runs.finish(tx, run, now, Result.RESTORED, None)
            runs.create(tx, incident, "qrl", now, Trigger.ALERT)


@pytest.mark.parametrize("clock", ["", "+25h", "-1h"])
def test_budget_and_cooldown_outlast_a_moved_clock(journal: Database, tmp_path: Path, clock: str) -> None:
    """Right after three rollbacks a process refuses a fourth by both limits, whatever the time on its clock."""
    deploy(journal, tmp_path)
    claim(journal, times=3)

    assert at(clock, "claim", tmp_path) == ["daily_limit", "cooldown"]


def test_one_rollback_is_cooled_down_from_with_a_clock_ahead(journal: Database, tmp_path: Path) -> None:
    """With budget left it is the cooldown alone that refuses, 25 hours ahead."""
    deploy(journal, tmp_path)
    claim(journal, times=1)

    assert at("+25h", "claim", tmp_path) == ["cooldown"]


def ask(database: Database, lifetime: float) -> None:
    """A person is asked, and may answer for so many seconds."""
    claim(database, times=0)
    with database.write() as tx:
        now = database.now(tx)
        run = runs.claim(tx, "asker", now, 600)
        assert run is not None
        approvals.ask(tx, run, PLAN, now, now + lifetime)


@pytest.mark.parametrize(("clock", "counts"), [("", True), ("-1h", True), ("+25h", False)])
def test_an_approval_lives_as_long_as_it_should(journal: Database, tmp_path: Path, clock: str, counts: bool) -> None:
    """In time it can be given; a clock that is ahead ends it, and it has to be asked for anew."""
    ask(journal, 900)
    assert at(clock, "approve", tmp_path) is counts


@pytest.mark.parametrize("clock", ["", "-1h"])
def test_a_clock_that_went_back_lengthens_no_approval(journal: Database, tmp_path: Path, clock: str) -> None:
    """Once its time has passed it cannot be given, though the clock says that there is an hour left."""
    ask(journal, 0.2)
    threading.Event().wait(0.3)
    assert at(clock, "approve", tmp_path) is False
