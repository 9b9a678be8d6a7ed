"""Outputs and marks of commands go together, and never those of a run or a command that has not ended."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from receiver.retention.outputs import outputs
from receiver.retention.store import Store
from tests.receiver.journal.histories import Told, write
from tests.receiver.retention.stores import DAY


def ran(store: Store, run: str, days: float, size: int = 10) -> tuple[Path, Path]:
    """What a command left then: its output, and its marks."""
    output, marks = store.config.logs / f"rollback-{run}.log", store.config.commands / run
    marks.mkdir()
    for name in ("lock", "started", "exit", "plan.json"):
        (marks / name).write_text("0")
    output.write_text("x" * size)
    for path in (*marks.iterdir(), marks, output):
        os.utime(path, (time.time() - days * DAY,) * 2)
    return output, marks


def test_what_is_old_goes_and_nothing_beside_it(store: Store) -> None:
    """Output and marks of one run; the replica's own name and other files stay."""
    replica = store.config.commands / "replica"
    replica.write_text("abc")
    os.utime(replica, (0, 0))
    old, young = ran(store, "0000000a", 31), ran(store, "0000000b", 29)

    told = list(outputs(store, True))
    assert all(path.exists() for path in (*old, *young))
    assert list(outputs(store, False)) == told == ["output of run 0000000a"]

    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in (*young, replica))
    assert '"output:removed"' in store.audit.files.active.read_text()


def test_too_large_together_the_oldest_go(store: Store) -> None:
    """A MB is the limit; within a week nothing goes."""
    for run, days in (("0000000c", 6), ("0000000a", 20), ("0000000b", 10)):
        ran(store, run, days, size=600_000)
    assert list(outputs(store, False)) == ["output of run 0000000a", "output of run 0000000b"]


def test_those_of_a_run_that_goes_on_stay(store: Store) -> None:
    """Without its marks a run would not find its command again, and might begin it a second time."""
    write(store.database, Told(days=500, closed=False, run={"id": "0000000a", "state": "waiting", "finished_at": None}))
    paths = ran(store, "0000000a", 500)
    assert list(outputs(store, False)) == []
    assert all(path.exists() for path in paths)


def test_those_of_a_command_that_still_runs_stay(store: Store) -> None:
    """Whatever the journal says, whoever holds the lock is at work."""
    ran(store, "0000000a", 500)
    with (store.config.commands / "0000000a" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert list(outputs(store, False)) == []
    assert list(outputs(store, False)) == ["output of run 0000000a"]


def test_what_a_kill_left_of_a_removal_goes(store: Store) -> None:
    """The next pass completes it."""
    left = store.config.commands / ".removing-0000000a"
    left.mkdir()
    (left / "started").write_text("")
    assert list(outputs(store, True)) == []
    assert left.exists()
    assert list(outputs(store, False)) == []
    assert not left.exists()
