"""The watch tells when the audit trail does not hold, or is no longer the one that was there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.registry import CollectorRegistry
from structlog.testing import capture_logs

from receiver.audit import AuditTrail
from receiver.audit_chain import Head, verify
from receiver.audit_key import AuditKey
from receiver.audit_watch import READ_ALL_EVERY, AuditWatch
from receiver.metrics_of_process import AuditCollector
from tests.receiver.trails import trail_files


class Post:
    """A trail of five records and its watch, which has looked once; time passes as the test says."""

    def __init__(self, directory: Path) -> None:
        self.now = 0.0
        self.trail = AuditTrail(trail_files(directory), lambda: 0.0)
        self.write(5)
        self.watch = AuditWatch(self.trail.files, lambda: self.now)
        self.look()

    def write(self, count: int = 1) -> None:
        """Append records."""
        for _ in range(count):
            self.trail.record("decision", "reason")

    def look(self, after: float = 5.0) -> tuple[int, bool]:
        """Look after some seconds; the number of the last record, and whether the trail is intact."""
        self.now += after
        self.watch.look()
        assert self.watch.state is not None
        return self.watch.state.head.records, self.watch.state.intact

    def lines(self) -> list[bytes]:
        """The trail's lines, with their newlines."""
        return self.trail.files.active.read_bytes().splitlines(keepends=True)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def test_state_is_that_of_the_file(post: Post) -> None:
    """What was appended is taken up at the next look, and the head is what verifying the file gives."""
    assert post.look() == (5, True)
    post.write(3)
    assert post.look() == (8, True)
    assert post.watch.state is not None
    assert post.watch.state.head == verify(post.trail.files)[0]
    assert post.look(READ_ALL_EVERY) == (8, True)


def test_trail_that_never_was_is_intact(tmp_path: Path) -> None:
    """Before the first record there is nothing to lose; before the first look nothing is said."""
    watch = AuditWatch(trail_files(tmp_path))
    assert watch.state is None
    watch.look()
    assert watch.state is not None
    assert (watch.state.head, watch.state.intact) == (Head(), True)


def test_half_a_line_is_read_once_it_has_ended(post: Post) -> None:
    """A torn record is waited for; told of by the next one, it is no loss."""
    with post.trail.files.active.open("a") as file:
        file.write('{"seq": 6')
    assert post.look() == (5, True)
    post.write()
    assert post.look() == (7, True)


def test_edited_end_is_found_by_the_next_record(post: Post) -> None:
    """The record that follows does not fit what the last one is now; that is found without reading all."""
    copy = AuditTrail(replace(post.trail.files, active=post.trail.files.active.with_suffix(".copy")), lambda: 0.0)
    copy.files.active.write_bytes(b"".join(post.lines()[:4]))
    for reasoning in ("lesson", "reason"):
        copy.record("decision", reasoning)
    post.trail.files.active.write_bytes(copy.files.active.read_bytes())
    assert post.look() == (6, False)


def test_trail_without_its_key_is_not_intact(post: Post) -> None:
    """Where the key is gone, or is another one, nobody can tell whether the records are the ones that were written."""
    post.trail.files.key.rename(post.trail.files.key.with_suffix(".away"))
    with capture_logs() as log:
        assert post.look(READ_ALL_EVERY)[1] is False
    assert "the key of the audit trail is gone" in log[0]["reason"]
    AuditKey(post.trail.files.key).make()
    assert post.look(READ_ALL_EVERY)[1] is False
    post.trail.files.key.with_suffix(".away").replace(post.trail.files.key)
    assert post.look(READ_ALL_EVERY) == (5, True)


def test_edited_middle_is_found_when_all_is_read_and_only_then(post: Post) -> None:
    """A look takes up only what was appended; every few minutes all is read. Put right again, it holds again."""
    good = post.trail.files.active.read_bytes()
    with post.trail.files.active.open("r+b") as file:
        file.write(good.replace(b"reason", b"lesson", 1))
    assert post.look() == (5, True)
    with capture_logs() as log:
        assert post.look(READ_ALL_EVERY) == (5, False)
        post.look()
    assert [line["event"] for line in log] == ["the audit trail does not hold"]
    assert log[0]["reason"].startswith(f"{post.trail.files.active}:1: ")

    with post.trail.files.active.open("r+b") as file:
        file.write(good)
    assert post.look(READ_ALL_EVERY) == (5, True)


def cut(post: Post) -> None:
    os.truncate(post.trail.files.active, len(b"".join(post.lines()[:3])))


def without_its_directory(post: Post) -> None:
    post.trail.files.active.parent.rename(post.trail.files.active.parent.with_suffix(".away"))


def replace_by_a_copy(post: Post) -> None:
    copy = post.trail.files.active.with_suffix(".copy")
    copy.write_bytes(post.trail.files.active.read_bytes())
    copy.rename(post.trail.files.active)


def link_elsewhere(post: Post) -> None:
    post.trail.files.active.rename(post.trail.files.active.with_suffix(".moved"))
    post.trail.files.active.symlink_to(post.trail.files.active.with_suffix(".moved"))


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (cut, 3),
        (lambda post: post.trail.files.active.unlink(), 0),
        (without_its_directory, 0),
        (replace_by_a_copy, 5),
        (link_elsewhere, 5),
    ],
    ids=["cut", "gone", "no directory", "replaced", "linked"],
)
def test_loss_is_told_at_the_next_look(post: Post, damage: Callable[[Post], None], left: int) -> None:
    """A trail that was cut, taken away, replaced by another file, or by a link, is not intact any more."""
    damage(post)
    assert post.look() == (left, False)


def test_loss_is_not_forgotten_when_new_records_come(post: Post) -> None:
    """A trail that begins anew, or grows beyond its old size, does not make up for what was lost."""
    cut(post)
    post.look()
    post.write(5)
    assert post.look(READ_ALL_EVERY) == (8, False)


def test_records_that_were_written_anew_are_found(post: Post) -> None:
    """A whole and valid chain in the place of the old one, in the same file, is not the old one."""
    other = AuditTrail(replace(post.trail.files, active=post.trail.files.active.with_suffix(".other")), lambda: 1.0)
    for _ in range(6):
        other.record("decision", "reason")
    with post.trail.files.active.open("r+b") as file:
        file.write(other.files.active.read_bytes())
    assert verify(post.trail.files)[1] is None

    assert post.look(READ_ALL_EVERY) == (6, False)


def test_nothing_is_said_of_an_audit_trail_that_nobody_looked_at() -> None:
    """A 0 before the first look would be taken for a trail that has lost its records."""
    registry = CollectorRegistry()
    registry.register(AuditCollector(lambda: None))

    assert [sample for family in registry.collect() for sample in family.samples] == []
