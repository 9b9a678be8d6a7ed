"""A trail of several segments is one chain, whoever closes a segment, and whatever stops them at it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.audit_chain import Head, verify
from receiver.audit_watch import READ_ALL_EVERY, AuditWatch
from receiver.errors import AuditError
from tests.receiver.trails import trail_files

REPOSITORY = Path(__file__).parents[2]
WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from receiver.audit import AuditTrail
from tests.receiver.trails import trail_files
trail = AuditTrail(replace(trail_files(Path(sys.argv[1])), segment_bytes=2000), lambda: 0.0)
for number in range(100):
    trail.record("decision", "reason", run=f"{sys.argv[2]}-{number}")
"""


class Trail:
    """A trail of which three records fill a segment."""

    def __init__(self, directory: Path) -> None:
        self.files = replace(trail_files(directory), segment_bytes=1000)
        self.audit = AuditTrail(self.files, lambda: 0.0)

    def write(self, count: int) -> None:
        for _ in range(count):
            self.audit.record("decision", "reason" * 10)

    def segments(self) -> list[Path]:
        """Closed ones and the active one, oldest first."""
        return [*self.files.closed(), *([self.files.active] if self.files.active.exists() else [])]

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of the records in each segment."""
        return {
            file.name: [json.loads(line)["seq"] for line in file.read_text().splitlines()] for file in self.segments()
        }

    def fault(self, checkpoint: Head | None = None) -> str | None:
        """What does not hold, without the directory."""
        found = verify(self.files, checkpoint)[1]
        return str(found).removeprefix(f"{self.files.active.parent}/") if found else None

    def head(self) -> Head:
        return verify(self.files)[0]


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """Eight records: two closed segments of three, and two in the active one."""
    made = Trail(tmp_path)
    made.write(8)
    return made


def test_full_segment_is_closed_under_the_number_of_its_last_record(trail: Trail) -> None:
    """The next record begins a new file under the same name, and follows from the last one of the one before."""
    assert trail.numbers() == {
        "audit-trail-0000000003.jsonl": [1, 2, 3],
        "audit-trail-0000000006.jsonl": [4, 5, 6],
        "audit-trail.jsonl": [7, 8],
    }
    assert (trail.head().records, trail.fault()) == (8, None)
    assert {file.stat().st_mode & 0o777 for file in trail.segments()} == {0o600}


@pytest.mark.parametrize("segment", range(3))
def test_each_record_of_each_segment_counts(trail: Trail, segment: int) -> None:
    """One that was changed is named by its file and line; one that is missing is found, the last by a checkpoint."""
    file, checkpoint = trail.segments()[segment], trail.head()
    lines = file.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        before, after = lines[:number], lines[number + 1 :]
        file.write_bytes(b"".join([*before, line.replace(b"reason", b"lesson", 1), *after]))
        assert (trail.fault() or "").startswith(f"{file.name}:{number + 1}: it is not signed")
        file.write_bytes(b"".join([*before, *after]))
        assert trail.fault(checkpoint) is not None


def test_segment_that_is_gone_is_found(trail: Trail) -> None:
    """One from the middle breaks the chain, the active one is missed by who has a checkpoint."""
    checkpoint = trail.head()
    first, middle, last = trail.segments()
    middle.rename(middle.with_suffix(".away"))
    assert trail.fault() == f"{last.name}:1: it is record 7, and 4 should follow"
    middle.with_suffix(".away").rename(middle)
    last.unlink()
    assert trail.fault() is None
    assert (
        trail.fault(checkpoint) == f"{middle.name}:3: it ends with record 6, and the checkpoint is record 8: it was cut"
    )
    first.unlink()
    middle.unlink()
    with pytest.raises(AuditError, match="the audit trail cannot be read: there is none"):
        trail.fault()


def test_trail_without_its_oldest_segments_holds_for_who_knows_where_it_goes_on(trail: Trail) -> None:
    """It is told that records are gone, unless the checkpoint is that of the last one of them."""
    first, second, _ = trail.segments()
    first.rename(first.with_suffix(".away"))
    known, content = trail.head(), first.with_suffix(".away").read_bytes()
    begin = verify(replace(trail.files, active=first.with_suffix(".away")))[0]
    gone = f"{second.name}:1: it is record 4, and those before it are gone"
    assert (begin.records, content.count(b"\n")) == (3, 3)
    assert trail.fault() == gone
    assert trail.fault(known) == gone
    assert trail.fault(replace(begin, digest="0" * 64)) == gone
    assert trail.fault(begin) is None


def test_segments_that_changed_their_names_are_found(trail: Trail) -> None:
    """A file under another's name is out of its order."""
    first, second, _ = trail.segments()
    first.rename(first.with_suffix(".away"))
    second.rename(first)
    first.with_suffix(".away").rename(second)
    assert trail.fault() is not None


def test_record_after_a_stop_between_two_segments_follows(trail: Trail) -> None:
    """Whoever closed a segment may be killed before the next one has a record, or a file, or a whole record."""
    trail.write(1)
    assert [len(numbers) for numbers in trail.numbers().values()] == [3, 3, 3]
    trail.files.active.rename(trail.files.closed_with(9))
    assert (trail.fault(), trail.head().records) == (None, 9)
    trail.write(1)
    assert trail.numbers()["audit-trail.jsonl"] == [10]
    trail.files.active.write_bytes(b"")
    trail.write(1)
    assert trail.numbers()["audit-trail.jsonl"] == [10]
    trail.files.active.write_bytes(trail.files.active.read_bytes()[:20])
    trail.write(1)
    assert [json.loads(line)["seq"] for line in trail.files.active.read_text().splitlines()[1:]] == [10, 11]
    assert (trail.fault(), trail.head().records) == (None, 11)


def test_torn_record_is_told_of_before_its_segment_is_closed(trail: Trail) -> None:
    """A full segment that ends with half a line, or without a newline, is made whole first."""
    trail.write(1)
    with trail.files.active.open("ab") as file:
        file.write(b'{"seq": 10, ')
    trail.write(2)
    assert [file.name for file in trail.files.closed()][-1] == "audit-trail-0000000011.jsonl"
    assert (trail.fault(), trail.head().records) == (None, 12)
    trail.write(1)
    trail.files.active.write_bytes(trail.files.active.read_bytes()[:-1])
    trail.write(2)
    assert (trail.fault(), trail.head().records) == (None, 15)


def test_segment_that_cannot_be_closed_is_an_error(trail: Trail) -> None:
    """A file that is in the way is not overwritten: nothing is recorded until it is moved away."""
    trail.write(1)
    trail.files.closed_with(9).write_text("in the way")
    with pytest.raises(AuditError, match=r"audit-trail\.jsonl: is full, and .*-0000000009\.jsonl is there already"):
        trail.write(1)
    trail.files.closed_with(9).unlink()
    trail.write(1)
    assert (trail.fault(), trail.head().records) == (None, 10)


@pytest.mark.parametrize("content", [b"", b"gibberish\n"])
def test_nothing_follows_from_a_closed_segment_that_was_damaged(trail: Trail, content: bytes) -> None:
    """Where the chain would go on from a segment that does not end with a record, nothing is recorded."""
    trail.files.active.unlink()
    trail.files.closed_with(6).write_bytes(content)
    with pytest.raises(AuditError, match=r"-0000000006\.jsonl: does not end with a record"):
        trail.write(1)


def test_key_is_not_made_anew_for_a_new_segment(trail: Trail) -> None:
    """A missing key is missed also where the active segment is empty, or not there yet."""
    trail.files.key.unlink()
    for prepare in (lambda: trail.files.active.write_bytes(b""), trail.files.active.unlink):
        prepare()
        with pytest.raises(AuditError, match="the key of the audit trail is gone"):
            trail.write(1)
    assert not trail.files.key.exists()


def test_processes_close_segments_while_others_read(tmp_path: Path) -> None:
    """Three processes leave one chain of many segments, and nobody who reads meanwhile is misled."""
    files = replace(trail_files(tmp_path), segment_bytes=2000)
    AuditTrail(files, lambda: 0.0).record("first", "r")
    watch = AuditWatch(files, lambda: float("inf"))
    argv = [sys.executable, "-c", WRITER, tmp_path]
    writers = [subprocess.Popen([*argv, str(number)], cwd=REPOSITORY) for number in range(3)]
    seen = []
    while any(writer.poll() is None for writer in writers):
        head, fault = verify(files)
        assert fault is None
        seen.append(head.records)
        watch.look()
        assert watch.state is not None
        assert watch.state.intact
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    head, fault = verify(files)
    assert (head.records, fault) == (301, None)
    assert len(files.closed()) > 30
    assert seen == sorted(seen)
    watch.look()
    assert watch.state is not None
    assert (watch.state.head, watch.state.intact) == (head, True)


class Watched:
    """A trail whose watch has looked once; time passes as the test says."""

    def __init__(self, trail: Trail) -> None:
        self.now = 0.0
        self.watch = AuditWatch(trail.files, lambda: self.now)
        self.look()

    def look(self, after: float = 5.0) -> tuple[int, bool]:
        """The number of the last record, and whether the trail is intact."""
        self.now += after
        self.watch.look()
        assert self.watch.state is not None
        return self.watch.state.head.records, self.watch.state.intact


def test_watch_follows_from_segment_to_segment(trail: Trail) -> None:
    """However many were closed between two looks, and while there is no active one; reading all says the same."""
    watched = Watched(trail)
    for count in (1, 1, 7, 2):
        trail.write(count)
        assert watched.look() == (trail.head().records, True)
    while len(trail.numbers()["audit-trail.jsonl"]) < 3:
        trail.write(1)
    trail.files.active.rename(trail.files.closed_with(trail.head().records))
    assert watched.look() == (trail.head().records, True)
    trail.write(1)
    assert watched.look() == (trail.head().records, True)
    assert watched.look(READ_ALL_EVERY) == (trail.head().records, True)


@pytest.mark.parametrize("segment", range(3))
def test_watch_misses_a_segment_at_the_next_look(trail: Trail, segment: int) -> None:
    """One that is gone, replaced by its copy, or shorter than it was."""
    file = trail.segments()[segment]
    whole, watched = file.read_bytes(), Watched(trail)
    file.rename(file.with_suffix(".away"))
    assert watched.look()[1] is False
    file.write_bytes(whole)
    assert Watched(trail).look() == (8, True)
    watched = Watched(trail)
    file.write_bytes(whole[:-1])
    assert watched.look()[1] is False


def test_watch_finds_an_edit_in_a_closed_segment_when_it_reads_all(trail: Trail) -> None:
    """It names the file and the line."""
    watched, file = Watched(trail), trail.segments()[1]
    file.write_bytes(file.read_bytes().replace(b"reason", b"lesson", 1))
    assert watched.look() == (8, True)
    assert watched.look(READ_ALL_EVERY) == (8, False)
