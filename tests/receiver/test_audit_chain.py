"""Whoever edits, drops, swaps or adds a line of the audit trail breaks its chain at that line."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.audit_chain import Chain, Fault, Head, chained, verify
from receiver.audit_key import AuditKey
from receiver.errors import AuditError
from tests.receiver.trails import trail_files

BEHEADED = "it is record 2, and those before it are gone"
Damage = Callable[[list[bytes]], list[bytes]]
NOT_SIGNED = "it is not signed with the trail's key: it was changed, or something else wrote it"


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    """A trail of five records."""
    made = AuditTrail(trail_files(tmp_path), lambda: 0.0)
    for number in range(1, 6):
        made.record(f"d{number}", "r", run=f"run{number}")
    return made


def write(trail: AuditTrail, lines: list[bytes]) -> None:
    """Put these lines in the place of the trail's."""
    trail.files.active.write_bytes(b"".join(line + b"\n" for line in lines))


def head_of(trail: AuditTrail) -> Head:
    """The head as its definition has it: the last line's number and digest."""
    last = trail.files.active.read_bytes().splitlines()[-1]
    return Head(json.loads(last)["seq"], hashlib.sha256(last).hexdigest())


def head_at(number: int, content: bytes) -> Head:
    """The checkpoint of the record of this number."""
    return Head(number, hashlib.sha256(content.splitlines()[number - 1]).hexdigest())


def test_whole_trail_holds(trail: AuditTrail) -> None:
    """Its last record's number and digest are told, and no fault."""
    assert verify(trail.files) == (head_of(trail), None)
    assert head_of(trail).records == 5


def test_no_record_is_no_fault(tmp_path: Path) -> None:
    """An empty trail holds; one that is not there cannot be read."""
    files = trail_files(tmp_path)
    files.active.touch()
    assert verify(files) == (Head(0, "0" * 64), None)
    files.active.unlink()
    with pytest.raises(AuditError, match=r"audit-trail\.jsonl: the audit trail cannot be read: there is none"):
        verify(files)


def edited(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"run2", b"run7") for line in lines]


def with_a_forged_record(lines: list[bytes]) -> list[bytes]:
    """A record that fits behind the second but for its signature, and those after it as they were."""
    forged = b'{"seq": 3, "prev": "%s", "decision": "x"}' % hashlib.sha256(lines[1]).hexdigest().encode()
    return [*lines[:2], forged, *lines[2:]]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (edited, (2, NOT_SIGNED)),
        (lambda lines: [lines[0], *lines[2:]], (2, "it is record 3, and 2 should follow")),
        (lambda lines: lines[1:], (1, BEHEADED)),
        (lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], (3, "it is record 4, and 3 should follow")),
        (lambda lines: [*lines, lines[-1]], (6, "it is record 5, and 6 should follow")),
        (with_a_forged_record, (3, NOT_SIGNED)),
        (lambda lines: [*lines[:2], b'{"decision": "x"}', *lines[2:]], (3, NOT_SIGNED)),
        (
            lambda lines: [*lines[:2], b"gibberish", *lines[2:]],
            (4, "what stands before it is no record, and not what was left of one"),
        ),
        (lambda lines: [*lines[:2], b"gibberish", *lines[3:]], (4, "it is record 4, and 3 should follow")),
    ],
    ids=["edited", "dropped", "beheaded", "swapped", "repeated", "forged", "unchained", "gibberish", "overwritten"],
)
def test_damage_is_found_at_its_line(trail: AuditTrail, damage: Damage, fault: tuple[int, str]) -> None:
    """The first line that does not fit is named with the reason; the head is the last record's all the same (T20)."""
    lines = damage(trail.files.active.read_bytes().splitlines())
    write(trail, lines)

    assert verify(trail.files) == (head_of(trail), Fault(trail.files.active, *fault))


def test_every_byte_counts(trail: AuditTrail) -> None:
    """Whichever byte of the trail is changed, however the line reads then: the chain does not hold."""
    whole = trail.files.active.read_bytes()
    for place in range(len(whole) - 1):  # without the last newline the last record is still being written
        for bit in (1, 0x20):
            trail.files.active.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert verify(trail.files, head_at(5, whole))[1] is not None, (place, bit)


def test_any_other_order_or_choice_of_lines_is_found(trail: AuditTrail) -> None:
    """Dropped, swapped and repeated in any way, the records hold only where they are the first ones in their order."""
    written, key = trail.files.active.read_bytes().splitlines(), AuditKey(trail.files.key)
    for count in range(1, 6):
        for chosen in product(range(5), repeat=count):
            chain = Chain(key)
            for number in chosen:
                chain.add(written[number])
            chain.end()
            assert (chain.fault is None) == (chosen == tuple(range(count))), chosen


def test_chain_that_is_calculated_anew_without_the_key_is_found(trail: AuditTrail, tmp_path: Path) -> None:
    """Who can write the trail but not read the key can make every number and digest fit, and no signature."""
    other = AuditTrail(replace(trail.files, key=tmp_path / "another.key"), lambda: 0.0)
    trail.files.active.unlink()
    for number in range(1, 6):
        other.record(f"d{number}", "r", run="run7")
    assert verify(other.files)[1] is None

    assert verify(trail.files) == (head_of(trail), Fault(trail.files.active, 1, NOT_SIGNED))


def test_signature_belongs_to_its_record(trail: AuditTrail) -> None:
    """The signature of one record, put under another one, does not make that the agent's."""
    lines = trail.files.active.read_bytes().splitlines()
    lines[2] = lines[2][:-66] + lines[1][-66:]
    write(trail, lines)
    assert verify(trail.files)[1] == Fault(trail.files.active, 3, NOT_SIGNED)


def test_signature_is_of_the_bytes_before_it(trail: AuditTrail) -> None:
    """HMAC-SHA256 of all that stands before `, "hmac"`, as anybody who has the key can calculate it."""
    for line in trail.files.active.read_bytes().splitlines():
        signed, _, rest = line.rpartition(b', "hmac": "')
        assert rest.decode() == hmac.new(trail.files.key.read_bytes(), signed, "sha256").hexdigest() + '"}'


def test_what_a_power_cut_left_is_no_fault_where_it_is_told(trail: AuditTrail) -> None:
    """The record that tells of it holds for exactly what it saw; changed later, that is found."""
    with trail.files.active.open("a") as file:
        file.write('{"seq": 6, "prev": ')
    assert verify(trail.files)[1] is None
    trail.record("after", "r")
    assert verify(trail.files) == (head_of(trail), None)

    trail.files.active.write_bytes(trail.files.active.read_bytes().replace(b'"prev": \n', b'"prev":_\n'))

    told = "what stands before it is no record, and not what was left of one"
    assert verify(trail.files)[1] == Fault(trail.files.active, 7, told)


def test_cut_tail_needs_a_witness(trail: AuditTrail) -> None:
    """A chain that ends earlier holds in itself: only who remembers the head can tell (T20)."""
    before = head_of(trail)
    trail.files.active.write_bytes(b"".join(trail.files.active.read_bytes().splitlines(keepends=True)[:3]))

    head, fault = verify(trail.files)

    assert (head.records, head != before, fault) == (3, True, None)


@pytest.mark.parametrize("number", ["true", "0", "-1", '"6"', "6.0", "null", "9" * 5000])
def test_number_that_is_none_breaks_the_chain(trail: AuditTrail, number: str) -> None:
    """A record whose number is not a positive integer is no link, whatever it is instead, and nothing raises."""
    key, head = AuditKey(trail.files.key), head_of(trail)
    record = b'{"seq": %s, "prev": "%s"' % (number.encode(), head.digest.encode())
    with trail.files.active.open("ab") as file:
        file.write(record + b', "hmac": "%s"}\n' % key.sign(record))
        file.write(chained(Head(6, head.digest), b'{"d": 1}', key))

    fault = verify(trail.files)[1]

    assert fault is not None
    assert fault.line in (6, 7)


def test_head_is_exact_as_a_float(trail: AuditTrail) -> None:
    """52 bits of the digest survive as a float, so that Prometheus can remember them."""
    head = head_of(trail)
    assert int(head.as_float) == int(head.digest, 16) >> (256 - 52)
    assert Head().as_float == 0
