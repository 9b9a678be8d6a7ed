"""Whoever edits, drops, swaps or adds a line of the audit trail breaks its chain at that line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.audit_chain import Fault, Head, verify
from receiver.errors import AuditError

Damage = Callable[[list[bytes]], list[bytes]]
NOT_WRITTEN = "it does not follow from the record before it, which is not the one that was written"


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    """A trail of five records."""
    made = AuditTrail(tmp_path / "audit-trail.jsonl", lambda: 0.0)
    for number in range(1, 6):
        made.record(f"d{number}", "r", run=f"run{number}")
    return made


def head_of(trail: AuditTrail) -> Head:
    """The head as its definition has it: the last line's number and digest."""
    last = trail.path.read_bytes().splitlines()[-1]
    return Head(json.loads(last)["seq"], hashlib.sha256(last).hexdigest())


def test_whole_trail_holds(trail: AuditTrail) -> None:
    """Its last record's number and digest are told, and no fault."""
    assert verify(trail.path) == (head_of(trail), None)
    assert head_of(trail).records == 5


def test_no_record_is_no_fault(tmp_path: Path) -> None:
    """An empty trail holds; one that is not there cannot be read."""
    path = tmp_path / "audit-trail.jsonl"
    path.touch()
    assert verify(path) == (Head(0, "0" * 64), None)
    path.unlink()
    with pytest.raises(AuditError, match=r"audit-trail\.jsonl: the audit trail cannot be read: No such file"):
        verify(path)


def edited(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"run2", b"run7") for line in lines]


def with_a_forged_record(lines: list[bytes]) -> list[bytes]:
    """A record that fits behind the second, and those after it as they were."""
    forged = b'{"seq": 3, "prev": "%s", "decision": "x"}' % hashlib.sha256(lines[1]).hexdigest().encode()
    return [*lines[:2], forged, *lines[2:]]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (edited, Fault(3, NOT_WRITTEN)),
        (lambda lines: [lines[0], *lines[2:]], Fault(2, "it is record 3, and 2 should follow")),
        (lambda lines: lines[1:], Fault(1, "it is record 2, and 1 should follow")),
        (lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], Fault(3, "it is record 4, and 3 should follow")),
        (lambda lines: [*lines, lines[-1]], Fault(6, "it is record 5, and 6 should follow")),
        (with_a_forged_record, Fault(4, "it is record 3, and 4 should follow")),
        (
            lambda lines: [*lines[:2], b'{"decision": "x"}', *lines[2:]],
            Fault(3, "it has no number, though the chain has begun"),
        ),
        (
            lambda lines: [*lines[:2], b"gibberish", *lines[2:]],
            Fault(4, "what stands before it is no record, and not what was left of one"),
        ),
        (lambda lines: [*lines[:2], b"gibberish", *lines[3:]], Fault(4, "it is record 4, and 3 should follow")),
    ],
    ids=["edited", "dropped", "beheaded", "swapped", "repeated", "forged", "unchained", "gibberish", "overwritten"],
)
def test_damage_is_found_at_its_line(trail: AuditTrail, damage: Damage, fault: Fault) -> None:
    """The first line that does not fit is named with the reason; the head is the last record's all the same."""
    lines = damage(trail.path.read_bytes().splitlines())
    trail.path.write_bytes(b"".join(line + b"\n" for line in lines))

    assert verify(trail.path) == (head_of(trail), fault)


def test_what_a_power_cut_left_is_no_fault_where_it_is_told(trail: AuditTrail) -> None:
    """The record that tells of it holds for exactly what it saw; changed later, that is found."""
    with trail.path.open("a") as file:
        file.write('{"seq": 6, "prev": ')
    assert verify(trail.path)[1] is None
    trail.record("after", "r")
    assert verify(trail.path) == (head_of(trail), None)

    trail.path.write_bytes(trail.path.read_bytes().replace(b'"prev": \n', b'"prev":_\n'))

    assert verify(trail.path)[1] == Fault(7, "what stands before it is no record, and not what was left of one")


def test_cut_tail_needs_a_witness(trail: AuditTrail) -> None:
    """A chain that ends earlier holds in itself: only who remembers the head can tell."""
    before = head_of(trail)
    trail.path.write_bytes(b"".join(trail.path.read_bytes().splitlines(keepends=True)[:3]))

    head, fault = verify(trail.path)

    assert (head.records, head != before, fault) == (3, True, None)


def test_records_of_an_earlier_version_are_outside_of_the_chain(tmp_path: Path) -> None:
    """What has no number before the first record that has one is passed over."""
    trail = AuditTrail(tmp_path / "audit-trail.jsonl", lambda: 0.0)
    trail.path.write_text('{"decision": "old"}\nhalf a rec\n{"decision": "older"}\n')
    assert verify(trail.path) == (Head(), None)
    trail.record("new", "r")

    assert verify(trail.path) == (head_of(trail), None)
    assert head_of(trail).records == 1


@pytest.mark.parametrize("number", ["true", "0", "-1", '"6"', "6.0", "null", "9" * 5000])
def test_number_that_is_none_breaks_the_chain(trail: AuditTrail, number: str) -> None:
    """A record whose number is not a positive integer is no link, whatever it is instead, and nothing raises."""
    with trail.path.open("a") as file:
        file.write(f'{{"seq": {number}, "prev": "{head_of(trail).digest}"}}\n{{"seq": 7}}\n')

    fault = verify(trail.path)[1]

    assert fault is not None
    assert fault.line in (6, 7)


def test_head_is_exact_as_a_float(trail: AuditTrail) -> None:
    """52 bits of the digest survive as a float, so that Prometheus can remember them."""
    head = head_of(trail)
    assert int(head.as_float) == int(head.digest, 16) >> (256 - 52)
    assert Head().as_float == 0
