"""The chain of the audit trail: each record carries its number, the digest of the record before it, and a signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.audit_segments import segments
from receiver.errors import AuditError

TORN = "audit:torn_tail"
"""The record that tells of a line before it that was not written whole."""
TORN_DIGEST = "torn_sha256"
PRUNED = "audit:pruned"
"""The record that tells of old segments that were removed on purpose."""
PRUNED_THROUGH = "through"
_CHECKPOINT = re.compile(r"([1-9]\d{0,17}):([0-9a-f]{64})")
_WINDOW = 8192
_SIGNATURE = b', "hmac": "%s"}'
"""How a line ends; what stands before it is signed, byte for byte."""
_SIGNATURE_LENGTH = len(_SIGNATURE % b"") + 64


@dataclass(frozen=True, slots=True)
class Head:
    """The last record: its number, and SHA-256 (hexadecimal) over the bytes of its line without the newline."""

    records: int = 0
    digest: str = "0" * 64

    def __str__(self) -> str:
        """As a checkpoint is written down: the number and the digest."""
        return f"{self.records}:{self.digest}"

    @classmethod
    def parse(cls, text: object) -> Head | None:
        """The head that is written down as `text`; None where that is no checkpoint."""
        found = _CHECKPOINT.fullmatch(text) if isinstance(text, str) else None
        return cls(int(found[1]), found[2]) if found else None

    @property
    def as_float(self) -> float:
        """The first 52 bits of the digest, which a float holds exactly; 0 where there is no record."""
        return float(int(self.digest[:13], 16))


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line (from 1) at which the chain does not hold, in which file, and why."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class Chain:
    """Reads one line after the other; what follows a fault is read on, so that `head` is always the last record.

    `checkpoint` is a head that somebody remembers: the record of that number has to be that one, and to be there.
    The first record needs the key; without a usable one `add` raises AuditError.
    """

    def __init__(self, key: AuditKey, checkpoint: Head | None = None) -> None:
        self.head = Head()
        self._fault: Fault | None = None
        self._beheaded: Fault | None = None
        self._key = key
        self._checkpoint = checkpoint
        self._start: Head | None = None
        """What the first record follows; where it is not number 1, those before it are gone."""
        self._file = Path()
        self._lines = 0
        self._torn = b""

    @property
    def fault(self) -> Fault | None:
        """The first line that does not hold."""
        return self._beheaded or self._fault

    def enter(self, file: Path, resumed: bool = False) -> None:
        """The lines that follow are those of `file`, from its beginning or from where its reading ended."""
        self._file = file
        self._lines = self._lines if resumed else 0

    def add(self, line: bytes) -> None:
        """The next line, with or without its newline."""
        self._lines += 1
        line = line.removesuffix(b"\n")
        record = _parse(line)
        if record is None:
            self._torn += line + b"\n"
            return
        wrong = self._what_is_wrong(line, record)
        self.head = _head_of(line, record)
        known = self._checkpoint
        if wrong is None and known is not None and self.head.records == known.records and self.head != known:
            wrong = f"record {known.records} is not the one of the checkpoint"
        if wrong:
            self._blame(wrong)
        elif record.get("decision") == PRUNED:
            self._excuse(record)
        self._torn = b""

    def end(self) -> None:
        """The last line was read; one that the checkpoint tells of must have been among them."""
        known, start = self._checkpoint, self._start or self.head
        if known is None or known == start:
            return
        if known.records > self.head.records:
            self._blame(
                f"it ends with record {self.head.records}, and the checkpoint is record {known.records}: it was cut"
            )
        elif known.records < start.records:
            self._blame(f"it begins with record {start.records + 1}: record {known.records} of the checkpoint is gone")
        elif known.records == start.records:
            self._blame(f"record {known.records}, which it goes on from, is not the one of the checkpoint")

    def _what_is_wrong(self, line: bytes, record: dict[str, object]) -> str | None:
        if not is_signed(line, self._key):
            self._start = self._start or self.head
            return "it is not signed with the trail's key: it was changed, or something else wrote it"
        number, previous = _number(record), record.get("prev")
        if self._start is None and number is not None and number > 1:
            self._start = self.head = Head(number - 1, str(previous))
            if self._start != self._checkpoint:
                self._beheaded = Fault(self._file, self._lines, f"it is record {number}, and those before it are gone")
        self._start = self._start or self.head
        if number != self.head.records + 1:
            return f"it is record {number}, and {self.head.records + 1} should follow"
        if previous != self.head.digest:
            return "it does not follow from the record before it"
        facts = record.get("metrics_used")
        told = facts.get(TORN_DIGEST) if record.get("decision") == TORN and isinstance(facts, dict) else None
        if told != (hashlib.sha256(self._torn).hexdigest() if self._torn else None):
            return "what stands before it is no record, and not what was left of one"
        return None

    def _excuse(self, record: dict[str, object]) -> None:
        """Records that were removed on purpose are not missed; nor is a part of them, where that was interrupted."""
        facts = record.get("metrics_used")
        through = Head.parse(facts.get(PRUNED_THROUGH)) if isinstance(facts, dict) else None
        if through is not None and self._start is not None and self._start.records <= through.records:
            self._beheaded = None

    def _blame(self, reason: str) -> None:
        self._fault = self._fault or Fault(self._file, self._lines, reason)


def verify(files: TrailFiles, checkpoint: Head | None = None) -> tuple[Head, Fault | None]:
    """Read the whole trail, line by line; raises AuditError where it cannot be read. Half a last line is none yet."""
    chain = Chain(AuditKey(files.key), checkpoint)
    try:
        with segments(files) as found:
            for segment in found:
                chain.enter(segment.path)
                for line in segment.lines(0, segment.size):
                    chain.add(line)
    except OSError as error:
        raise AuditError(f"{files.active}: the audit trail cannot be read: {error.strerror}") from error
    if not found:
        raise AuditError(f"{files.active}: the audit trail cannot be read: there is none")
    chain.end()
    return chain.head, chain.fault


def chained(head: Head, body: bytes, key: AuditKey) -> bytes:
    """The line, with its newline, of a record that follows `head`; `body` is its JSON without the chain's keys."""
    record = b'{"seq": %d, "prev": "%s", %s' % (head.records + 1, head.digest.encode(), body[1:-1])
    return record + _SIGNATURE % key.sign(record) + b"\n"


def is_signed(line: bytes, key: AuditKey) -> bool:
    """Whether the line, without its newline, is to the last byte what was signed with this key."""
    record, signature = line[:-_SIGNATURE_LENGTH], line[-_SIGNATURE_LENGTH:]
    return hmac.compare_digest(signature, _SIGNATURE % key.sign(record))


def head_of(line: bytes) -> Head:
    """The head that the record in this line, without its newline, is."""
    record = _parse(line)
    return Head() if record is None else _head_of(line, record)


def follow(head: Head, line: bytes) -> Head:
    """The head once `line`, with its newline, was appended to it."""
    return Head(head.records + 1, _digest(line[:-1]))


def end_of(file: int, size: int) -> tuple[bytes, bytes]:
    """The line of the last record of an open file of `size` bytes, and what stands after it.

    The former is empty where there is no record, the latter unless something was torn.
    Only the file's end is read, as much of it as that takes.
    """
    window = min(_WINDOW, size)
    while True:
        lines = os.pread(file, window, size - window).split(b"\n")
        begins = 0 if window == size else 1  # before the first newline may stand only the end of a line
        for number in reversed(range(begins, len(lines))):
            if _parse(lines[number]) is not None:
                return lines[number], b"\n".join(lines[number + 1 :])
        if window == size:
            return b"", b"\n".join(lines)
        window = min(window * 8, size)


def last_line_of(segment: Path) -> bytes:
    """The line of a closed segment's last record; raises OSError, or AuditError where it does not end with one."""
    file = os.open(segment, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        last, torn = end_of(file, os.fstat(file).st_size)
    finally:
        os.close(file)
    if not last or torn:
        raise AuditError(f"{segment}: does not end with a record, and the next one could not follow from it")
    return last


def last_line(files: TrailFiles) -> bytes:
    """The line of the trail's last record, empty where there is none; raises OSError."""
    with segments(files) as found:
        for segment in reversed(found):
            with segment.opened() as file:
                last, _ = end_of(file.fileno(), segment.size)
            if last:
                return last
    return b""


def _head_of(line: bytes, record: dict[str, object]) -> Head:
    number = _number(record)
    return Head() if number is None else Head(number, _digest(line))


def _number(record: dict[str, object]) -> int | None:
    number = record.get("seq")
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _parse(line: bytes) -> dict[str, object] | None:
    """The line as a record; None where it is none, or only a part of one."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
