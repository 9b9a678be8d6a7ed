"""Secrets from files: read again when the file changes, never printed, and hidden wherever else they turn up."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from receiver.redaction.known import known_secrets


class SecretFile:
    """The secret in a file; raises OSError or ValueError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return "<secret>"

    def digest(self) -> bytes:
        """What two files have in common only where they hold the same secret."""
        return hashlib.sha256(self._read()).digest()

    def matches(self, offered: str) -> bool:
        """Whether `offered` is the secret, in constant time."""
        return hmac.compare_digest(self._read(), offered.encode())

    def reveal(self) -> str:
        """The secret itself, for a library that needs it; it is never told on."""
        return self._read().decode()

    def _read(self) -> bytes:
        # Read on every use: a rotated secret needs no restart, and the file is tiny.
        if self._path.stat().st_mode & 0o007:
            raise ValueError(f"{self._path}: others may read it; run: chmod 600 {self._path}")
        secret = self._path.read_bytes().strip()
        if len(secret) < 16:
            raise ValueError(f"{self._path}: the secret is shorter than 16 characters")
        known_secrets.remember(secret)
        return secret
