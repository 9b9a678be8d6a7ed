"""Holds what a block of log lines tells, already summed up: a line alone is too small a piece to be an object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NOBODY = frozenset((b"", b"-"))
"""How all formats write that no user was named."""


@dataclass(slots=True)
class Batch:
    """The requests of some lines; methods, codes and users are as the log has them."""

    requests: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    """How many there were of each method and code."""
    seconds: list[float] = field(default_factory=list)
    """The response times, of those requests that have one."""
    users: set[bytes] = field(default_factory=set)
    users_affected: set[bytes] = field(default_factory=set)
    """Those of the users who met a 5xx."""
    unparsable_lines: int = 0

    def add(self, methods: Iterable[bytes], codes: Sequence[bytes]) -> None:
        """Count requests given as columns: the first method belongs to the first code."""
        self.requests.update(zip(methods, codes, strict=True))

    def add_users(self, users: Sequence[bytes], codes: Sequence[bytes]) -> None:
        """Note who made the requests of these codes."""
        self.users.update(users)
        self.users_affected.update(user for user, code in zip(users, codes, strict=True) if code.startswith(b"5"))
        self.users -= NOBODY
        self.users_affected -= NOBODY


def count_lines(block: bytes) -> int:
    """How many lines of `block` are not empty."""
    return sum(1 for line in block.split(b"\n") if line.strip())
