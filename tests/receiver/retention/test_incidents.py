"""Incidents go by the limits of the configuration, on the record, and nothing that is scraped changes by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.audit_chain import verify
from receiver.config.retention import Incidents
from receiver.errors import AuditError
from receiver.journal import tables
from receiver.journal.database import Database
from receiver.metrics import JournalCollector
from receiver.retention.hotfixes import hotfixes
from receiver.retention.incidents import incidents
from receiver.retention.questions import questions
from tests.receiver.journal.histories import Told, escalate, fill, incidents_in, rows_in, write
from tests.receiver.journal.rows import at_once
from tests.receiver.retention.stores import DAY, store_in
from tests.receiver.surroundings import FileTarget, ToldPrometheus, configuration, surroundings
from tests.receiver.trails import records


def test_what_a_dry_run_tells_is_what_goes(database: Database, tmp_path: Path) -> None:
    """It names each incident and changes nothing; then exactly those go, with a record before the first of them."""
    fill(database)
    old = {write(database, Told(days=401)) for _ in range(60)}
    write(database, Told(days=399))
    store, rows = store_in(tmp_path, database), rows_in(database)

    told = list(incidents(store, dry_run=True))
    assert (rows_in(database), store.audit.files.active.exists()) == (rows, False)
    gone = list(incidents(store, dry_run=False))

    assert gone == told
    assert {line.split()[1] for line in gone} == old
    assert all(line.startswith("incident ") and " of qrl, closed 20" in line for line in gone)
    recorded = [one for one in records(store.audit) if one["decision"] == "incident:removed"]
    assert sorted(name for one in recorded for name in one["metrics_used"]["incidents"]) == sorted(old)
    assert (len(recorded), verify(store.audit.files)[1]) == (2, None)


def test_without_a_record_nothing_goes(database: Database, tmp_path: Path) -> None:
    """Where the audit trail cannot be written, the incident stays, whole."""
    fill(database)
    write(database, Told(days=401))
    store, rows = store_in(tmp_path, database), rows_in(database)
    store.audit.files.active.mkdir()

    with pytest.raises(AuditError):
        list(incidents(store, dry_run=False))

    assert rows_in(database) == rows


def test_three_replicas_at_once(database: Database, tmp_path: Path) -> None:
    """Each has files and a trail of its own; together they remove each incident once, and all that may go."""
    fill(database)
    old = {write(database, Told(days=500)) for _ in range(110)}
    stores = [store_in(tmp_path / str(number), database) for number in range(3)]

    gone = at_once(3, lambda number: list(incidents(stores[number], dry_run=False)))

    assert sorted(line.split()[1] for lines in gone for line in lines) == sorted(old)


def test_old_answered_questions_and_ended_hotfixes_go(database: Database, tmp_path: Path) -> None:
    """Outside of incidents, what is unanswered or unresolved stays however old it is."""
    with database.write() as tx:
        now = database.now(tx)
        for days, answered in ((500, True), (500, False), (300, True)):
            escalate(tx, "qrl", now - days * DAY, answered)
        row = {"deployment": "qrl", "started_by": "ada", "deadline": 0.0, "started_at": now - 500 * DAY}
        for id_, state, ended in (("a", "done", 500), ("b", "over", 300), ("c", "failed", 500), ("d", "over", 401)):
            tx.execute(
                sa.insert(tables.hotfix).values(row | {"id": id_, "state": state, "ended_at": now - ended * DAY})
            )
        tx.execute(sa.insert(tables.hotfix).values(row | {"id": "e", "state": "running"}))
    store = store_in(tmp_path, database)

    for kind, count in ((questions, 1), (hotfixes, 2)):
        told = list(kind(store, True))
        assert (list(kind(store, False)), len(told)) == (told, count)
        assert list(kind(store, False)) == []

    with database.read() as tx:
        assert set(tx.execute(sa.select(tables.hotfix.c.id)).scalars()) == {"b", "c", "e"}
        assert tx.execute(sa.select(sa.func.count()).select_from(tables.escalation)).scalar_one() == 2


ENDED = st.builds(
    Told,
    days=st.floats(0, 900),
    deployment=st.sampled_from(["qrl", "shop"]),
    runs=st.integers(1, 3),
    steps=st.lists(st.floats(0, 2000), max_size=5).map(tuple),
    closed=st.booleans() | st.just(True),
)
STANDS = st.fixed_dictionaries({"latched": st.booleans(), "asks": st.booleans(), "count": st.integers(1, 20)})


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ENDED, max_size=12), claims=st.lists(st.floats(0, 500), max_size=3), stands=STANDS)
def test_nothing_that_is_scraped_changes(
    database: Database, tmp_path: Path, history: list[Told], claims: list[float], stands: dict[str, Any]
) -> None:
    """Whatever happened: every counter, every bucket, the budget, what is open and what is shown are as before.

    Only what is gone waits for a review no more.
    """
    wipe(database)
    for told in history:
        write(database, told)
    with database.write() as tx:
        now = float(database.now(tx))
    for days in claims:
        write(database, Told(days=days, run={"claimed_at": now - days * DAY}))
    with database.write() as tx:
        if stands["latched"]:
            tx.execute(sa.insert(tables.deployment).values(name="shop", locked=1, latched_at=now, latch_reason="look"))
        if stands["asks"]:
            escalate(tx, "qrl", now - 800 * DAY, answered=False)
    store = store_in(tmp_path, database, retention={"incidents": {"age": "30d"}})
    few = Incidents.model_construct(age=30 * DAY, count=stands["count"])  # fewer than a person may want
    kept = store.config.retention.model_copy(update={"incidents": few})
    store = replace(store, config=store.config.model_copy(update={"retention": kept}))
    expected, there = scraped(database, tmp_path), incidents_in(database)
    with database.read() as tx:
        where = dict(tx.execute(sa.select(tables.incident.c.id, tables.incident.c.deployment)).tuples().all())

    gone = {line.split()[1] for line in incidents(store, dry_run=False)}

    for one in gone:
        expected["rollback_incidents_unreviewed", frozenset({("deployment", where[one])})] -= 1
    assert scraped(database, tmp_path) == expected
    assert incidents_in(database) == there - gone
    assert list(incidents(store, dry_run=False)) == []


def scraped(database: Database, root: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample that the journal gives."""
    deployment = {"target": {"releases": {"path": str(root / "srv"), "restart": ["/bin/true"]}}}
    config = configuration(root, deployments={"qrl": deployment, "shop": deployment})
    clock = lambda: 1.8e9  # noqa: E731 - what is asked has no time of its own
    world = surroundings(config, database, ToldPrometheus(clock), FileTarget(root / "releases"), clock)
    collector = JournalCollector(database, {"qrl": world, "shop": world}, lambda: None, lambda: None)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in collector.collect()
        for sample in family.samples
    }


def wipe(database: Database) -> None:
    """Begin anew."""
    with database.write() as tx:
        for table in reversed(tables.metadata.sorted_tables):
            tx.execute(sa.delete(table))
