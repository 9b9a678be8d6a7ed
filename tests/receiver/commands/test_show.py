"""`incidents` and `show`: what a person reads of what has happened."""

from __future__ import annotations

import pytest

from receiver.durations import clock_time
from receiver.journal import incidents
from tests.receiver.commands.journaled import Journaled

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
