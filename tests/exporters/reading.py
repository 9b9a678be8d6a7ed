"""What a reader makes of single lines, in words that a test can compare."""

from __future__ import annotations

from dataclasses import dataclass

from exporters.batch import Batch
from exporters.log_formats import Format, reader_of


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as its line tells it."""

    method: str
    code: str
    seconds: float | None = None
    user: str | None = None
    affected: bool = False


def read_line(log_format: Format, line: str, user_field: str | None) -> Logged | None:
    """The request that `line` tells of, None if it is unparsable.

    It is read twice by one reader: a reader may go another way where it knows a line like it.
    """
    reader = reader_of(log_format, user_field)
    first, second = (only_request(reader.read(line.encode() + b"\n")) for _ in range(2))
    assert first == second
    return first


def only_request(batch: Batch) -> Logged | None:
    """The request of a batch of one line."""
    if batch.unparsable_lines:
        assert batch == Batch(unparsable_lines=1)
        return None
    [((method, code), count)] = batch.requests.items()
    assert count == 1
    user = next(iter(batch.users), None)
    return Logged(
        method.decode(),
        code.decode(),
        batch.seconds[0] if batch.seconds else None,
        user if user is None else user.decode(),
        affected=bool(batch.users_affected),
    )
