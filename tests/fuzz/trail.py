"""The audit trail as a file of any content: what was not signed never verifies, and writing goes on or is refused."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from receiver.audit import AuditTrail
from receiver.audit_chain import PRUNED, TORN, Head, chained, verify
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.errors import AuditError
from receiver.secret import make_secret_file
from tests.fuzz.structure import Source
from tests.fuzz.targets import CORPUS

WORDS = (
    "seq", "prev", "timestamp", "decision", "metrics_used", "torn_sha256", "through", "hmac", TORN, PRUNED, "0" * 64,
    "1:" + "0" * 64, "deployment", "run",
)  # fmt: skip
KEY = b"0123456789abcdef" * 4


def check(data: bytes, directory: Path) -> None:
    """The first byte says whether the rest is the file, changes of a good one, or bodies that get a signature."""
    source = Source(data, WORDS)
    files, whole = _trail(directory)
    kind = source.byte() % 3
    if kind == 2:
        files.active.write_bytes(_signed_anew(source, files))
        _verify(files)
        return
    content = source.rest() if kind else _changed(whole, source)
    files.active.write_bytes(content)
    _check_verdict(files, content, whole)
    _check_going_on(files, content)


@cache
def _trail(directory: Path) -> tuple[TrailFiles, bytes]:
    """A trail of six records, the fourth of which tells of a line that was torn; a seed holds it, and KEY signed it."""
    files = TrailFiles(directory / "audit-trail.jsonl", directory / "audit.key", 10**9)
    make_secret_file(files.key, KEY)
    return files, (CORPUS / "trail" / "whole").read_bytes()[1:]


def _check_verdict(files: TrailFiles, content: bytes, whole: bytes) -> None:
    """Without a fault, the records are the first of those that were written; with a checkpoint, all of them."""
    written = _records(whole)
    head, fault = _verify(files)
    if fault is None:
        records = [line for line in content.split(b"\n")[:-1] if _is_record(line)]
        assert records == written[: len(records)]
        assert head.records == len(records)
    last = Head.parse(f"{len(written)}:{_digest(written[-1])}")
    if _verify(files, last)[1] is None:
        assert content.startswith(whole)


def _check_going_on(files: TrailFiles, content: bytes) -> None:
    """A further record is refused, or follows what was there, of which no byte is touched."""
    try:
        AuditTrail(files, lambda: 1.7e9).record("rollback:begin", "further")
    except AuditError:
        assert files.active.read_bytes() == content
        return
    now = files.active.read_bytes()
    assert now.startswith(content)
    assert now.endswith(b"\n")
    assert json.loads(now.split(b"\n")[-2])["reasoning"] == "further"


def _verify(files: TrailFiles, checkpoint: Head | None = None) -> tuple[Head, object]:
    head, fault = verify(files, checkpoint)
    assert fault is None or str(fault).isprintable()
    return head, fault


def _changed(whole: bytes, source: Source) -> bytes:
    """The good trail with up to four pieces of it replaced."""
    for _ in range(1 + source.byte() % 4):
        begin = int.from_bytes(source.take(2)) % (len(whole) + 1)
        end = begin + source.byte() * (1 + source.byte() % 16)
        whole = whole[:begin] + source.take(source.byte() % 32) + whole[end:]
    return whole


def _signed_anew(source: Source, files: TrailFiles) -> bytes:
    """What only a holder of the key could write: any object, signed."""
    head, lines = Head(), b""
    for _ in range(source.byte() % 8):
        value = source.value()
        record = value if isinstance(value, dict) and value else {"decision": source.word(), "metrics_used": value}
        line = chained(head, json.dumps(record).encode(), AuditKey(files.key))
        lines += line
        if source.byte() % 4:
            head = Head(head.records + 1, _digest(line[:-1]))
    return lines


@cache
def _records(whole: bytes) -> list[bytes]:
    return [line for line in whole.split(b"\n") if _is_record(line)]


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
