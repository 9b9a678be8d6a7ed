"""Who asks for an incident that was removed is told so, by the page, the interface and the command line alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.errors import Gone
from receiver.removed import gone
from tests.receiver.commands.journaled import Journaled
from tests.receiver.journal.histories import remembered
from tests.receiver.serving import OPERATOR, VIEWER, Receiver


def test_it_says_when_it_was_removed_and_where_the_report_lies(receiver: Receiver, tmp_path: Path) -> None:
    """A sentence with its deployment, its time, the moment of its removal, the reports that are there, and its runs."""
    report = tmp_path / "incident-1.md"
    report.write_text("what happened")
    with receiver.database.read() as tx:
        assert gone(tx, "0ld") is None
    remembered(receiver.database, str(report), str(tmp_path / "lost.md"), None)
    with receiver.database.read() as tx:
        told = gone(tx, "0ld")
    assert isinstance(told, Gone)
    assert str(told) == (
        "incident 0ld of qrl, from 2023-11-14 22:13:20Z to 2023-11-14 22:14:20Z, was removed from the journal at "
        f"2027-01-15 08:00:00Z, as `retention.incidents` says; its report: {report}; "
        "the audit trail names what was decided by run: run0, run1, run2"
    )


def test_over_http_it_is_410(receiver: Receiver) -> None:
    """A program learns that it was there, which 404 would deny; nothing can be decided about it."""
    incident = remembered(receiver.database, None)
    shown = receiver.get(f"/api/v1/incidents/{incident}", Authorization=VIEWER)
    decided = receiver.post({"decision": "deny"}, f"/api/v1/incidents/{incident}/decision", OPERATOR)
    for answer in (shown, decided):
        assert answer.status_code == 410
        assert "was removed from the journal at 2027-01-15 08:00:00Z" in answer.json()["error"]
        assert "no report of it lies here" in answer.json()["error"]
    assert receiver.get("/api/v1/incidents/n0ne", Authorization=VIEWER).status_code == 404


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Journaled]:
    """A configuration with a journal, where nothing serves."""
    made = Journaled(tmp_path)
    yield made
    made.database.close()


def test_the_command_line_says_it(here: Journaled) -> None:
    """`show` and `approve` end with that sentence."""
    remembered(here.database, None)
    for command in (("show", "0ld"), ("approve", "0ld", "--plan", "0" * 8)):
        assert re.search(r"incident 0ld of qrl, .* was removed from the journal", str(here.run(*command).exception))
