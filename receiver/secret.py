"""Secrets from files: read again when the file changes, never printed."""

from __future__ import annotations

import hmac
from pathlib import Path


class SecretFile:
    """The secret in a file; raises OSError or ValueError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return "<secret>"

    def check(self) -> None:
        """Raise OSError or ValueError where the secret cannot be used."""
        self._read()

    def matches(self, offered: str) -> bool:
        """Whether `offered` is the secret, in constant time."""
        return hmac.compare_digest(self._read(), offered.encode())

    def _read(self) -> bytes:
        # Read on every use: a rotated secret needs no restart, and the file is tiny.
        if self._path.stat().st_mode & 0o007:
            raise ValueError(f"{self._path}: others may read it; run: chmod 600 {self._path}")
        secret = self._path.read_bytes().strip()
        if len(secret) < 16:
            raise ValueError(f"{self._path}: the secret is shorter than 16 characters")
        return secret
