"""The key that signs the page's cookies: made at the first start, for nobody else to read."""

from __future__ import annotations

import secrets
from pathlib import Path

from receiver.errors import RollbackAgentError
from receiver.secret import make_secret_file

_BYTES = 32


def session_key(file: Path) -> bytes:
    """The key in `file`, which is made where there is none; raises RollbackAgentError where it cannot be used."""
    try:
        if not file.exists():
            make_secret_file(file, secrets.token_bytes(_BYTES))
        if file.stat().st_mode & 0o077:
            raise RollbackAgentError(f"{file}: others may read the key of the sessions; run: chmod 600 {file}")
        key = file.read_bytes()
    except OSError as error:
        raise RollbackAgentError(f"{file}: the key of the sessions cannot be used: {error.strerror}") from error
    if len(key) < _BYTES:
        raise RollbackAgentError(f"{file}: the key of the sessions is cut short; remove it, and all sign in again")
    return key
