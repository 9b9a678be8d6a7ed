"""The key that signs the page's cookies: made at the first start, for nobody else to read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from receiver.errors import RollbackAgentError

_BYTES = 32


def session_key(file: Path) -> bytes:
    """The key in `file`, which is made where there is none; raises RollbackAgentError where it cannot be used."""
    try:
        if not file.exists():
            _make(file)
        if file.stat().st_mode & 0o077:
            raise RollbackAgentError(f"{file}: others may read the key of the sessions; run: chmod 600 {file}")
        key = file.read_bytes()
    except OSError as error:
        raise RollbackAgentError(f"{file}: the key of the sessions cannot be used: {error.strerror}") from error
    if len(key) < _BYTES:
        raise RollbackAgentError(f"{file}: the key of the sessions is cut short; remove it, and all sign in again")
    return key


def _make(file: Path) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(secrets.token_bytes(_BYTES))
        out.flush()
        os.fsync(out.fileno())
    partial.rename(file)
