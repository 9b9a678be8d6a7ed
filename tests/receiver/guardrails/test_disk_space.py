"""There must be room for the backup and the logs, and a gigabyte beside them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from receiver.config.guardrails import DiskSpace, Guardrails
from receiver.guardrails.checklist import refusals
from receiver.guardrails.disk_space import disk_space
from receiver.model import Refusal
from tests.receiver.guardrails.builders import Surroundings, facts

GB = 1_000_000_000


def test_refuses_when_too_little_is_free() -> None:
    """It alone refuses, and it says how much is free and how much is needed."""
    said_no = refusals(facts(free_bytes=GB // 2))
    assert said_no == (Refusal("disk_space", "0.50 GB are free, 1.00 GB are needed"),)


@pytest.mark.parametrize(("free", "refused"), [(GB - 1, True), (GB, False)])
def test_allows_from_a_gigabyte_on(free: int, refused: bool) -> None:
    """Exactly 1 GB is enough."""
    assert (disk_space(facts(free_bytes=free)) is not None) is refused


def test_backup_that_is_still_to_be_made_needs_room_too() -> None:
    """Before the backup its size is added to what is needed; afterwards it is on the disk already."""
    before = facts(free_bytes=2 * GB, backup_bytes=2 * GB, backup=None, backup_due=False)
    assert refusals(before) == (
        Refusal("disk_space", "2.00 GB are free, 3.00 GB are needed, 2.00 of them for the backup"),
    )
    assert disk_space(facts(free_bytes=2 * GB, backup_bytes=2 * GB)) is None


def test_backup_of_unknown_size_is_not_counted() -> None:
    """What cannot be measured is for `backup_created` to refuse; here it needs no room and is not told."""
    unknown = facts(backup_bytes=None, backup=None, backup_due=False)
    assert disk_space(replace(unknown, free_bytes=GB)) is None
    too_little = Refusal("disk_space", "0.50 GB are free, 1.00 GB are needed")
    assert disk_space(replace(unknown, free_bytes=GB // 2)) == too_little


def test_minimum_is_configuration() -> None:
    """Another minimum gives another answer."""
    limits = Guardrails(disk_space=DiskSpace(minimum_bytes=5 * GB))
    assert disk_space(facts(limits=limits)) == Refusal("disk_space", "2.00 GB are free, 5.00 GB are needed")


def test_unreadable_refuses() -> None:
    """Free space that nobody can tell is not enough; it alone refuses."""
    assert refusals(facts(free_bytes=None)) == (Refusal("disk_space", "the free space cannot be read"),)


def test_space_is_read_where_backups_go(surroundings: Surroundings) -> None:
    """The free bytes are those of the root's file system, and a root that is gone has none to tell."""
    free = surroundings.read().free_bytes
    assert free is not None
    assert free == pytest.approx(shutil.disk_usage(surroundings.world.config.root).free, abs=GB)
    gone = surroundings.world.config.model_copy(update={"root": surroundings.world.config.root / "gone"})
    surroundings.world = replace(surroundings.world, config=gone)
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["disk_space"]
