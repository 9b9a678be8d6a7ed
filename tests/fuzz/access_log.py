"""Access logs of each format: every line counts once, alone as among others, and the second time as the first."""

from __future__ import annotations

import json
import math
from pathlib import Path

from exporters.batch import Batch
from exporters.log_formats import USER_FIELDS, Format, Reader, reader_of
from receiver.error_lines import LONGEST_LINE, last_error_lines
from tests.fuzz.structure import Source

WORDS = (
    "status", "request_method", "request_time", "remote_user", "remote_addr", "200", "503", "GET", "0.012", "-",
    "1e400", "user", '"', "\\", "{", "}", "\u2028",
)  # fmt: skip
READERS = tuple((one, field) for one in Format for field in (None, *(USER_FIELDS[one] or ("user", "status"))))


def check(data: bytes, directory: Path) -> None:
    """The first byte says which format and whether the rest is the log, or what lines of JSON are made of."""
    source = Source(data, WORDS)
    choice = source.byte()
    log_format, field = READERS[choice % len(READERS)]
    block = _objects(source) if choice & 128 and log_format is Format.NGINX_JSON else source.rest() + b"\n"
    reader = reader_of(log_format, field)
    first, again = (_sorted(reader.read(block)) for _ in range(2))
    assert first == again
    _check_batch(first, block)
    _check_alone(first, block, reader_of(log_format, field))
    log = directory / "access.log"
    log.write_bytes(block)
    told = last_error_lines(log, 5)
    assert len(told) <= 5
    assert all(len(line) <= LONGEST_LINE + 1 and line.isprintable() for line in told)


def _check_batch(batch: Batch, block: bytes) -> None:
    lines = sum(bool(line.strip()) for line in block.split(b"\n"))
    assert batch.requests.total() + batch.unparsable_lines == lines
    assert len(batch.seconds) <= batch.requests.total()
    assert all(math.isfinite(seconds) and seconds >= 0 for seconds in batch.seconds)
    assert batch.users_affected <= batch.users
    assert len(batch.users) <= batch.requests.total()
    for method, code in batch.requests:
        assert isinstance(method, bytes)
        assert len(code) == 3


def _check_alone(batch: Batch, block: bytes, reader: Reader) -> None:
    """Line by line there is as much to tell as of all at once."""
    alone = Batch()
    for line in block.split(b"\n"):
        one = reader.read(line + b"\n")
        alone.requests.update(one.requests)
        alone.seconds += one.seconds
        alone.users |= one.users
        alone.users_affected |= one.users_affected
        alone.unparsable_lines += one.unparsable_lines
    assert _sorted(alone) == batch


def _sorted(batch: Batch) -> Batch:
    """Lines that are like others are read first, which the order of the durations shows."""
    batch.seconds.sort()
    return batch


def _objects(source: Source) -> bytes:
    lines = []
    for _ in range(1 + source.byte() % 8):
        value = source.value()
        fields = value if isinstance(value, dict) else {"other": value}
        good = {"status": source.word() if source.byte() % 2 else 503, "request_method": source.word()}
        lines.append(json.dumps(good | fields if source.byte() % 2 else fields | good).encode() + b"\n")
    return b"".join(lines)
