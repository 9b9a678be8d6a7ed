"""Makes values out of fuzzed bytes, so that inputs get past the first check of a reader and not only up to it."""

from __future__ import annotations

import struct

_DEEPEST = 40
_CONSTANTS = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 0.1, -0.0, 1e308, float("inf"),
    float("nan"),
)  # fmt: skip


class Source:
    """The bytes of one input, taken from the front; what is taken beyond their end is 0."""

    def __init__(self, data: bytes, words: tuple[str, ...]) -> None:
        self._data = data
        self._at = 0
        self._words = words

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0] if self._at < len(self._data) else 0

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def word(self) -> str:
        """One of the words that the reader knows, or any text."""
        choice = self.byte()
        return self._words[choice] if choice < len(self._words) else as_text(self.take(choice % 24))

    def value(self, depth: int = 0) -> object:
        """Any value that JSON knows, and some that only Python's does."""
        kind = self.byte()
        if kind >= 128 and depth < _DEEPEST:
            count = kind % 8
            if kind >= 192:
                return {self.word(): self.value(depth + 1) for _ in range(count)}
            return [self.value(depth + 1) for _ in range(count)]
        return self._scalar(kind)

    def _scalar(self, kind: int) -> object:
        match kind % 8:
            case 0:
                value: object = _CONSTANTS[kind // 8 % len(_CONSTANTS)]
            case 1:
                value = struct.unpack("<d", self.take(8).ljust(8, b"\0"))[0]
            case 2:
                value = int.from_bytes(self.take(4), signed=True)
            case 3:
                value = as_text(self.take(self.byte()))
            case _:
                value = self.word()
        return value


def as_text(data: bytes) -> str:
    """The bytes as text; what is no UTF-8 becomes halves of surrogate pairs, as in the name of a file."""
    return data.decode(errors="surrogateescape")
