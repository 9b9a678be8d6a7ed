"""`prune` does at once what `serve` does once an hour; with --dry-run it says exactly that."""

from __future__ import annotations

import json
import os

import click
import pytest

from receiver.errors import RollbackAgentError
from tests.receiver.commands.journaled import Journaled
from tests.receiver.journal.histories import Told, fill, incidents_in, write


@pytest.fixture
def old(here: Journaled) -> str:
    """An incident that may go, and a report and an output that may; the incident's id."""
    fill(here.database)
    for name in ("incident-20200101-000000.md", "rollback-0000000a.log"):
        (here.root / "logs" / name).write_text("old")
        os.utime(here.root / "logs" / name, (0, 0))
    return write(here.database, Told(days=500))


def test_a_dry_run_says_exactly_what_would_go(here: Journaled, old: str) -> None:
    """A line each with its kind, the sum at the end, and nothing is changed or recorded."""
    before = incidents_in(here.database)
    lines = here.says("prune", "--dry-run").splitlines()
    assert lines[0].startswith(f"incidents: incident {old} of qrl, closed ")
    assert lines[1:] == [
        "reports: incident-20200101-000000",
        "outputs: output of run 0000000a",
        "1 incidents, 1 reports, 1 outputs would be removed; nothing was changed.",
    ]
    assert (incidents_in(here.database), here.audited()) == (before, [])
    found = json.loads(here.says("prune", "--dry-run", "--json"))
    assert found["would_be_removed"]["reports"] == ["incident-20200101-000000"]
    assert found["faults"] == []


def test_it_removes_what_it_said_and_records_who_did(here: Journaled, old: str) -> None:
    """Then nothing is left to remove, and `show` says what became of the incident."""
    told = here.says("prune", "--dry-run").splitlines()[:-1]
    assert here.says("prune", "--as", "ada").splitlines()[:-1] == told
    assert {(one["decision"], one["actor"]) for one in here.audited()} == {
        ("incident:removed", "ada"), ("report:removed", "ada"), ("output:removed", "ada"),
    }  # fmt: skip
    assert "was removed from the journal" in str(here.run("show", old).exception)
    assert here.says("prune").splitlines() == ["nothing removed."]


def test_what_fails_is_told_after_the_others(here: Journaled, old: str) -> None:
    """The exit code is not 0, each fault has its kind, and the other kinds had their turn."""
    assert old in incidents_in(here.database)
    (here.root / "logs" / "audit-trail.jsonl").mkdir()
    failed = here.run("prune")
    assert isinstance(failed.exception, RollbackAgentError)
    kinds = [line.split(":")[0] for line in str(failed.exception).splitlines()]
    assert kinds == ["incidents", "reports", "outputs"]
    assert old in incidents_in(here.database)


def test_json_is_only_for_a_dry_run(here: Journaled) -> None:
    """What is removed is not printed for programs."""
    assert isinstance(here.run("prune", "--json").exception, click.UsageError)
