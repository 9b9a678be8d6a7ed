"""Secrets from files: read again when the file changes, never printed, and hidden wherever else they turn up."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from receiver.redaction.known import known_secrets

_SETTLED = 2.0
"""Seconds after which another change of a file has another time than the last one: file systems count coarsely."""
_LOOK_EVERY = 0.1
"""Seconds between two looks at a file that has settled, however often its secret is asked for in a storm."""


class SecretFile:
    """The secret in a file, of at least `shortest` characters; raises OSError or ValueError where it cannot be used.

    A rotated secret needs no restart: a file that has settled is looked at ten times a second at most, and one that was
    changed just now each time. `clock` gives Unix seconds.
    """

    def __init__(self, path: Path, shortest: int = 16, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._shortest = shortest
        self._clock = clock
        self._kept: tuple[tuple[int, ...], bytes] | None = None
        self._looked_at = -math.inf

    def __repr__(self) -> str:
        return "<secret>"

    def digest(self) -> bytes:
        """What two files have in common only where they hold the same secret."""
        return hashlib.sha256(self.read()).digest()

    def matches(self, offered: str) -> bool:
        """Whether `offered` is the secret, in constant time."""
        return hmac.compare_digest(self.read(), offered.encode())

    def reveal(self) -> str:
        """The secret itself, for a library that needs it; it is never told on."""
        return self.read().decode()

    def read(self) -> bytes:
        """The same as bytes."""
        now, kept = self._clock(), self._kept
        if kept is not None and 0 <= now - self._looked_at < _LOOK_EVERY:
            return kept[1]
        self._kept = None  # until the file has been found to be good again
        file = self._path.stat()
        if file.st_mode & 0o007:
            raise ValueError(f"{self._path}: others may read it; run: chmod 600 {self._path}")
        version = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
        secret = kept[1] if kept is not None and kept[0] == version else self._path.read_bytes().strip()
        if len(secret) < self._shortest:
            raise ValueError(f"{self._path}: the secret is shorter than {self._shortest} characters")
        known_secrets.remember(secret)
        if now - max(file.st_mtime, file.st_ctime) > _SETTLED:
            self._kept, self._looked_at = (version, secret), now
        return secret


def make_secret_file(file: Path, secret: bytes) -> None:
    """Write a secret that only the file's owner may read, whole and on disk when this returns; raises OSError."""
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(secret)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
