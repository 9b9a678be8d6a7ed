"""Each kind has its turn, whatever becomes of another; what went and what failed can be counted."""

from __future__ import annotations

import os
from pathlib import Path

import receiver.retention
from receiver.metrics_of_process import RetentionCollector
from receiver.retention.store import Store
from receiver.retention.sweep import KIND_NAMES, Sweep
from tests.receiver.journal.histories import Told, fill, incidents_in, write
from tests.receiver.journal.rows import counted


def test_each_kind_is_a_file_of_its_name() -> None:
    """File, function, metric label and row of the documents share the name."""
    files = {path.stem for path in Path(receiver.retention.__file__).parent.glob("*.py")}
    assert files - set(KIND_NAMES) == {"__init__", "store", "sweep", "files", "rows"}
    rows = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
    assert [name for name in KIND_NAMES if f"\n| `{name}` |" not in rows] == []


def test_all_kinds_go_once_and_are_counted(store: Store) -> None:
    """What was removed is counted by kind in the journal, and the moment when all went well is told."""
    fill(store.database)
    old = {write(store.database, Told(days=500)) for _ in range(2)}
    report = store.config.logs / "incident-20200101-000000.md"
    report.write_text("old")
    os.utime(report, (0, 0))
    sweep = Sweep(lambda: store)
    assert sample(sweep, "rollback_retention_last_success_timestamp_seconds") == [({}, 0.0)]

    sweep.work()

    assert (old & incidents_in(store.database), report.exists()) == (set(), False)
    assert counted(store.database, "removed") == [({"kind": "incidents"}, 2), ({"kind": "reports"}, 1)]
    assert sample(sweep, "rollback_retention_failures_total") == [({"kind": kind}, 0.0) for kind in sorted(KIND_NAMES)]
    assert sample(sweep, "rollback_retention_last_success_timestamp_seconds")[0][1] > 0
    sweep.work()
    assert counted(store.database, "removed") == [({"kind": "incidents"}, 2), ({"kind": "reports"}, 1)]


def test_one_that_fails_keeps_no_other_from_its_turn(store: Store) -> None:
    """It is logged and counted, and tried again the next time."""
    old = store.config.logs / "rollback-0000000a.log"
    old.write_text("old")
    os.utime(old, (0, 0))
    incident = store.config.logs / "incident-20200101-000000.json"
    incident.write_text("{")  # of which the audit trail's kind cannot tell what it names
    sweep = Sweep(lambda: store)
    sweep.work()

    assert not old.exists()
    failed = {labels["kind"]: count for labels, count in sample(sweep, "rollback_retention_failures_total") if count}
    assert failed == {"audit": 1.0}
    assert sweep.succeeded_at is None
    incident.write_text("{}")
    sweep.work()
    assert sweep.failures["audit"] == 1
    assert sweep.succeeded_at is not None


def sample(sweep: Sweep, name: str) -> list[tuple[dict[str, str], float]]:
    """Label sets and values of a metric of the process."""
    families = RetentionCollector(sweep).collect()
    return [(one.labels, one.value) for family in families for one in family.samples if one.name == name]
