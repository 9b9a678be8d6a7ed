"""`incidents` and `show`: what a person reads of what has happened."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import sqlalchemy as sa

from receiver.durations import clock_time
from receiver.journal import approvals, incidents, runs, tables
from receiver.model import Level, Plan
from tests.receiver.commands.journaled import Journaled

NO_TARGET = Plan("qrl", Level.MANUAL, "r2", None, None, None, (), 300.0)
OPENED, CLOSED = 1_800_000_000.0, 1_800_000_060.0


@pytest.fixture
def incident(here: Journaled) -> str:
    """One of qrl that has begun."""
    with here.database.write() as tx:
        incidents.wake(tx, "qrl", OPENED, deciding=None)
        found = incidents.open_incident(tx, "qrl")
    assert found is not None
    return found


def test_an_open_incident_says_since_when(here: Journaled, incident: str) -> None:
    """The first line has the moment when it began, and that it is open."""
    first = here.says("show", incident).splitlines()[0]
    assert first == f"Incident {incident} of qrl: opened {clock_time(OPENED)}, open"


def test_a_closed_incident_says_from_when_to_when(here: Journaled, incident: str) -> None:
    """The moment when it began is not told as that of its end."""
    with here.database.write() as tx:
        incidents.close(tx, incident, CLOSED)
    first = here.says("show", incident).splitlines()[0]
    assert first == f"Incident {incident} of qrl: opened {clock_time(OPENED)}, closed {clock_time(CLOSED)}"


def test_a_plan_without_a_target_says_so(here: Journaled, incident: str) -> None:
    """`show` and `status` name what is missing to whoever is asked, and never a release None."""
    with here.database.write() as tx:
        now = here.database.now(tx)
        run = runs.claim(tx, "a test", now, 60.0)
        assert run is not None
        kept = json.dumps({"plan": asdict(NO_TARGET)})
        planned = sa.insert(tables.step).values(run=run.id, name="evaluate", position=0, state="done")
        tx.execute(planned.values(started_at=now, finished_at=now, output=kept))
        approvals.ask(tx, run, NO_TARGET, now, now + 3600)
    assert "manual, r2 -> no known good release\n" in here.says("show", incident)
    assert "roll qrl back, r2 -> no known good release (manual)\n" in here.says("status")
