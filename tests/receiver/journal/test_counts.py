"""Counters lose nothing when many count at once, and share their transaction's fate."""

from __future__ import annotations

from receiver.journal.counts import bump
from receiver.journal.database import Database
from tests.receiver.journal.rows import at_once, counted


def test_nothing_is_lost_when_many_count_at_once(database: Database) -> None:
    """Counts of the same label set from many threads add up, the very first ones too."""

    def count(number: int) -> None:
        with database.write() as tx:
            bump(tx, "runs", by=number, deployment="qrl", result="restored")

    at_once(30, count)

    assert counted(database, "runs") == [({"deployment": "qrl", "result": "restored"}, sum(range(30)))]


def test_label_sets_and_names_are_kept_apart(database: Database) -> None:
    """Another label value or another name is another counter; the order of the labels makes no difference."""
    with database.write() as tx:
        bump(tx, "runs", deployment="qrl", result="a")
        bump(tx, "runs", result="a", deployment="qrl")
        bump(tx, "runs", deployment="qrl", result='"b"\n')
        bump(tx, "alerts", deployment="qrl", result="a")

    assert sorted(counted(database, "runs"), key=str) == [
        ({"deployment": "qrl", "result": '"b"\n'}, 1),
        ({"deployment": "qrl", "result": "a"}, 2),
    ]
    assert counted(database, "alerts") == [({"deployment": "qrl", "result": "a"}, 1)]
