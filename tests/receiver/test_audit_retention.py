"""Old segments go only with a record that says so, and what is left is still one chain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.audit_chain import Head, head_of, last_line_of, verify
from receiver.audit_retention import prune
from receiver.audit_watch import READ_ALL_EVERY, AuditWatch
from receiver.errors import AuditError
from tests.receiver.trails import trail_files

DAY = 86400.0


class Archive:
    """A trail with a segment of three records for each of three days, and one record of the fourth."""

    def __init__(self, directory: Path) -> None:
        self.now = 0.0
        self.files = replace(trail_files(directory), segment_bytes=1000)
        self.audit = AuditTrail(self.files, lambda: self.now)
        for day in range(4):
            self.now = day * DAY
            for _ in range(1 if day == 3 else 3):
                self.audit.record("decision", "reason" * 10)

    def prune(self, days: float) -> list[int]:
        """Remove what is older than so many days; the numbers in the names of what was removed."""
        removed = prune(self.audit, self.now - days * DAY, "ada", "as agreed")
        return [int(file.stem.rpartition("-")[2]) for file in removed]

    def fault(self, checkpoint: Head | None = None) -> str | None:
        found = verify(self.files, checkpoint)[1]
        return found.reason if found else None


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def look(watch: AuditWatch) -> tuple[int, bool]:
    watch.look()
    assert watch.state is not None
    return watch.state.head.records, watch.state.intact


def test_only_segments_go_that_are_old_to_their_last_record(archive: Archive) -> None:
    """The record says up to which record, who did it and why, and the trail holds without a checkpoint."""
    through = head_of(last_line_of(archive.files.closed()[1]))
    assert archive.prune(1.5) == [3, 6]
    assert [file.name for file in archive.files.closed()] == ["audit-trail-0000000009.jsonl"]
    told = json.loads(archive.files.active.read_text().splitlines()[-1])
    assert (told["decision"], told["actor"], told["reasoning"]) == ("audit:pruned", "ada", "as agreed")
    assert told["metrics_used"] == {"through": str(through)}
    assert archive.fault() is None


def test_nothing_old_leaves_no_record(archive: Archive) -> None:
    """The active segment and those that are young stay, and nothing is written."""
    before = archive.files.active.read_bytes()
    assert archive.prune(10) == []
    assert archive.files.active.read_bytes() == before


def test_it_may_be_done_again_and_go_all_the_way(archive: Archive) -> None:
    """Each time adds its record; the one that tells of the oldest record is among what is left."""
    assert [archive.prune(2.5), archive.prune(1.5), archive.prune(0.5), archive.prune(0.5)] == [[3], [6], [9], []]
    assert archive.fault() is None
    for _ in range(6):
        archive.audit.record("decision", "reason" * 10)
    archive.now += 100 * DAY
    assert archive.prune(1) == [12, 15, 18]
    assert archive.fault() is None
    archive.audit.record("decision", "reason")
    assert archive.fault() is None


def test_interrupted_it_leaves_a_trail_that_holds(archive: Archive) -> None:
    """Killed after the record, or between two segments, it is taken up by the next time."""
    first, second, third = archive.files.closed()
    kept = {file: file.read_bytes() for file in (first, second)}
    archive.prune(1.5)
    for file in (second, first):
        file.write_bytes(kept[file])
        assert archive.fault() is None
    first.unlink()
    assert archive.prune(1.5) == [6]
    assert archive.files.closed() == [third]
    assert archive.fault() is None


def test_checkpoint_that_was_removed_cannot_be_met(archive: Archive) -> None:
    """A record that went on purpose is not there any more either; the last one that went is still vouched for."""
    older, newest = (head_of(last_line_of(file)) for file in archive.files.closed()[:2])
    archive.prune(1.5)
    assert archive.fault(newest) is None
    assert archive.fault(older) == "it begins with record 7: record 3 of the checkpoint is gone"
    other = replace(newest, digest="0" * 64)
    assert archive.fault(other) == "record 6, which it goes on from, is not the one of the checkpoint"


def test_more_than_was_told_is_missed(archive: Archive) -> None:
    """A record of what was removed does not excuse what somebody else removes."""
    archive.prune(2.5)
    archive.files.closed()[0].unlink()
    assert archive.fault() == "it is record 7, and those before it are gone"


def test_record_of_it_that_is_not_ours_excuses_nothing(archive: Archive, tmp_path: Path) -> None:
    """Who cannot sign cannot remove the beginning unnoticed either."""
    forger = AuditTrail(replace(archive.files, key=tmp_path / "another.key"), lambda: archive.now)
    for file in archive.files.closed():
        file.unlink()
    archive.files.active.unlink()
    forger.record("audit:pruned", "r", facts={"through": f"8:{'0' * 64}"})
    content = archive.files.active.read_bytes()
    archive.files.active.write_bytes(content.replace(b'"seq": 1,', b'"seq": 9,'))
    assert archive.fault() is not None


def test_trail_that_does_not_hold_keeps_everything(archive: Archive) -> None:
    """What is evidence is not removed."""
    second = archive.files.closed()[1]
    second.write_bytes(second.read_bytes().replace(b"reason", b"lesson", 1))
    with pytest.raises(AuditError, match=r"0006\.jsonl:1: .*; nothing is removed from a trail that does not hold"):
        archive.prune(0)
    assert len(archive.files.closed()) == 3


@pytest.mark.parametrize("pause", [5.0, READ_ALL_EVERY])
def test_watch_does_not_miss_what_was_removed_on_purpose(archive: Archive, pause: float) -> None:
    """One that looked before, and one that starts afterwards, see a trail that holds; more is missed by both."""
    now = [0.0]
    watch = AuditWatch(archive.files, lambda: now[0])
    assert look(watch) == (10, True)
    archive.prune(1.5)
    now[0] += pause
    assert look(watch) == (11, True)
    assert look(AuditWatch(archive.files)) == (11, True)

    archive.files.closed()[0].unlink()

    now[0] += pause
    assert look(watch) == (11, False)
    assert look(AuditWatch(archive.files)) == (11, False)
