"""Reports go with their JSON and chart, never one whose run is needed, and the audit trail not before them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.audit_chain import Head, verify
from receiver.errors import AuditError
from receiver.journal import tables
from receiver.retention.audit import audit
from receiver.retention.reports import reports
from receiver.retention.store import Store
from tests.receiver.journal.histories import Told, write
from tests.receiver.retention.stores import DAY


def report(store: Store, name: str, days: float, size: int = 100, checkpoint: Head | None = None) -> Path:
    """A report of then, with JSON and chart; where its Markdown lies."""
    path = store.config.logs / f"incident-{name}.md"
    path.with_suffix(".json").write_text(json.dumps({"audit_checkpoint": str(checkpoint) if checkpoint else None}))
    path.with_suffix(".svg").write_text("<svg/>")
    path.write_text("x" * size)
    for file in path.parent.glob(f"{path.stem}.*"):
        os.utime(file, (time.time() - days * DAY,) * 2)
    return path


def left(store: Store) -> set[str]:
    """The names of all reports that are there."""
    return {file.name for file in store.config.logs.glob("incident-*")}


def test_old_ones_go_whole_and_what_is_not_ours_stays(store: Store) -> None:
    """All three files of one, on the record; other names are never looked at."""
    report(store, "20260101-000000", 31)
    young = report(store, "20260201-000000-1a2b3c4d", 29)
    for name in ("incident-notes.md", "agent.log", "incident-20260101-000000.txt", "rollback-12345678.log"):
        (store.config.logs / name).write_text("")
        os.utime(store.config.logs / name, (0, 0))

    told = list(reports(store, True))
    assert len(left(store)) == 8
    assert list(reports(store, False)) == told == ["incident-20260101-000000"]

    assert left(store) == {
        *(f"{young.stem}.{kind}" for kind in ("md", "json", "svg")),
        *("incident-notes.md", "incident-20260101-000000.txt"),
    }  # fmt: skip
    assert '"report:removed"' in store.audit.files.active.read_text()


def test_too_large_together_the_oldest_go(store: Store) -> None:
    """A MB is the limit; within a week nothing goes."""
    for name, days in (("20260103-000000", 6), ("20260101-000000", 20), ("20260102-000000", 10)):
        report(store, name, days, size=600_000)
    assert list(reports(store, False)) == ["incident-20260101-000000", "incident-20260102-000000"]


def test_that_of_a_run_that_is_needed_stays(store: Store) -> None:
    """Its incident is open, or its deployment latched: its report is what a person reads."""
    path = report(store, "20260101-000000", 500)
    incident = write(store.database, Told(days=500, closed=False, run={"report": str(path)}))
    assert list(reports(store, False)) == []
    for number in range(10):
        write(store.database, Told(days=300 + number))
    with store.database.write() as tx:
        tx.execute(sa.update(tables.incident).where(tables.incident.c.id == incident).values(closed_at=1.0))
        tx.execute(sa.insert(tables.deployment).values(name="qrl", locked=1, latched_at=1.0, latch_reason="look"))
    assert list(reports(store, False)) == []
    with store.database.write() as tx:
        tx.execute(sa.update(tables.deployment).values(latched_at=None))
    assert list(reports(store, False)) == [path.stem]


def test_what_a_killed_writer_left_goes(store: Store) -> None:
    """Half a report has a name of its own, and nobody takes it up again."""
    partial = store.config.logs / ".incident-20260101-000000.md.partial"
    partial.write_text("half")
    assert list(reports(store, False)) == []
    os.utime(partial, (0, 0))
    assert list(reports(store, False)) == [partial.name]
    assert not partial.exists()


def test_records_stay_as_long_as_a_report_is_checked_against_them(store: Store) -> None:
    """Every checkpoint of a report that is kept holds after each pass; without such a report what is old goes."""
    heads = []
    while len(store.audit.files.closed()) < 4:
        store.audit.record("phase", "x" * 900)
        heads.append(store.audit.head())
    closed = store.audit.files.closed()
    later = Store(store.config, store.database, store.audit, lambda: time.time() + 31 * DAY, "ada")
    named = next(head for head in heads if head.records == int(closed[1].stem[-10:]) + 2)  # in the third segment
    kept = report(later, "20260101-000000", -31, checkpoint=named)

    told = list(audit(later, True))
    assert told == [str(segment) for segment in closed[:2]]
    assert list(audit(later, False)) == told

    assert verify(store.audit.files, named)[1] is None
    assert list(audit(later, False)) == []
    kept.with_suffix(".json").unlink()
    assert list(audit(later, False)) == [str(segment) for segment in closed[2:]]
    assert verify(store.audit.files)[1] is None


def test_a_report_that_cannot_be_read_keeps_the_whole_trail(store: Store) -> None:
    """Nobody can tell which record it names."""
    while not store.audit.files.closed():
        store.audit.record("phase", "x" * 900)
    path = report(store, "20260101-000000", 1)
    path.with_suffix(".json").write_text("{")
    later = Store(store.config, store.database, store.audit, lambda: time.time() + 31 * DAY, "ada")
    with pytest.raises(AuditError, match=r"incident-20260101-000000\.json: which audit record it names"):
        list(audit(later, False))
    assert len(store.audit.files.closed()) == 1


def test_without_an_age_the_trail_is_left_to_a_person(store: Store) -> None:
    """Nothing of the audit trail goes by itself unless the configuration says so."""
    while not store.audit.files.closed():
        store.audit.record("phase", "x" * 900)
    kept = store.config.retention.model_copy(update={"audit": type(store.config.retention.audit)()})
    config = store.config.model_copy(update={"retention": kept})
    assert list(audit(Store(config, store.database, store.audit, lambda: 9e9, "ada"), False)) == []
