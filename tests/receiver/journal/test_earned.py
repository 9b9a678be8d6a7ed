"""What branches have earned is kept once, whoever counts, and wherever a process is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from receiver import earned
from receiver.audit import AuditTrail
from receiver.config import Config
from receiver.journal import deployments, escalations, reviews
from receiver.journal import earned as rows
from receiver.journal.database import Database
from receiver.journal.earned import Earned
from receiver.model import Autonomy, Found
from tests.receiver.earning import EARNS
from tests.receiver.journal.rows import at_once, claimed
from tests.receiver.learning.reviewed import AT, review
from tests.receiver.surroundings import configuration


def trail(config: Config) -> AuditTrail:
    """An audit trail of this replica."""
    config.logs.mkdir(parents=True, exist_ok=True)
    return AuditTrail(config.audit_files, lambda: AT)


def earn(database: Database) -> None:
    """Three reviews, which are enough."""
    with database.write() as tx:
        for number in range(3):
            reviews.put(tx, review(number, approved_success=True))


def kept(database: Database) -> tuple[Earned, list[str]]:
    """How the branch stands, and of which changes a human was told."""
    with database.read() as tx:
        return rows.of_branch(tx, "qrl", "service_down"), [one.summary for one in escalations.find(tx)]


def test_what_is_put_is_found_again(database: Database) -> None:
    """Whole, once a branch, and of its deployment only."""
    one = Earned("qrl", "service_down", Autonomy.L4, 3, AT, "it was right", AT - 5)
    with database.write() as tx:
        rows.put(tx, replace(one, level=Autonomy.L3))
        rows.put(tx, one)
        rows.put(tx, replace(one, deployment="shop"))
        rows.put(tx, replace(one, branch="wide_impact"))
        assert rows.of_branch(tx, "qrl", "service_down") == one
        assert rows.of_branch(tx, "qrl", "elsewhere") == Earned("qrl", "elsewhere")
        assert list(rows.of_deployment(tx, "qrl")) == ["service_down", "wide_impact"]


def test_a_moment_after_all_that_was_decided(database: Database) -> None:
    """A review and a run of the future, as a clock that was set back leaves them, are before it."""
    with database.write() as tx:
        assert rows.after_all(tx, "qrl", AT) == AT
        reviews.put(tx, review(decided_at=AT + 100))
        reviews.put(tx, review(2, deployment="shop", decided_at=AT + 900))
        assert rows.after_all(tx, "qrl", AT) == AT + 100
        assert rows.after_all(tx, "qrl", AT + 200) == AT + 200
    run = claimed(database)
    with database.write() as tx:
        tx.exec_driver_sql(
            "insert into step (run, name, position, state, started_at, finished_at) "
            f"values ('{run.id}', 'evaluate', 0, 'done', 0, {AT + 300})"
        )
        assert rows.after_all(tx, "qrl", AT) == AT + 300


def test_of_replicas_that_look_at_once_one_lets_it_rise(database: Database, tmp_path: Path) -> None:
    """One change, one call, one record; the same for the fall."""
    configs = [configuration(tmp_path / str(number), **EARNS) for number in range(4)]
    trails = [trail(config) for config in configs]
    earn(database)

    at_once(4, lambda number: earned.look(database, trails[number], configs[number]))

    stands, told = kept(database)
    assert (stands.level, stands.changes, len(told)) == (Autonomy.L4, 1, 1)
    assert sum(one.head().records for one in trails) == 1

    def fall(number: int) -> None:
        before = review(number, approved_success=True)
        wrong = replace(before, necessary=Found.NO)
        with database.write() as tx:
            deployments.lock(tx, "qrl")
            reviews.put(tx, wrong)
            earned.review_taken(tx, trails[number], configs[number], wrong, before, AT + 1000)

    at_once(3, fall)
    stands, told = kept(database)
    assert (stands.level, stands.changes, len(told)) == (Autonomy.L3, 2, 2)
    assert sum(one.head().records for one in trails) == 2


def test_a_kill_between_the_record_and_the_commit_changes_nothing(database: Database, tmp_path: Path) -> None:
    """The next one does it whole: one rise, one call; the record is there again, with the same number."""
    earn(database)
    url = database.url.render_as_string(hide_password=False)
    killed = multiprocessing.get_context("spawn").Process(target=_look_and_die, args=(url, tmp_path))
    killed.start()
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    assert kept(database) == (Earned("qrl", "service_down"), [])

    config = configuration(tmp_path, **EARNS)
    for _ in range(2):
        earned.look(database, trail(config), config)

    stands, told = kept(database)
    assert (stands.level, stands.changes, len(told)) == (Autonomy.L4, 1, 1)
    lines = (config.logs / "audit-trail.jsonl").read_text().splitlines()
    assert [line.count('"change": 1') for line in lines] == [1, 1]


def _look_and_die(url: str, root: Path) -> None:
    config = configuration(root, **EARNS)
    own = trail(config)

    class DiesAfter:
        """An audit trail after whose record the process is killed."""

        def record(self, *arguments: Any, **facts: Any) -> None:
            own.record(*arguments, **facts)
            os.kill(os.getpid(), signal.SIGKILL)

    earned.look(Database(url), DiesAfter(), config)
