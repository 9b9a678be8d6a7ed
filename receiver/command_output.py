"""The last words of a rollback command, for reasons and reports: capped, as text, without secrets."""

from __future__ import annotations

import os
from pathlib import Path

from receiver.redact import redact_text

_READ = 64 << 10
"""Bytes that are looked at, so that a secret that begins before what is shown is recognised."""


def last_output(output: Path, size: int = 2000) -> str:
    """The last `size` characters of what the command printed."""
    try:
        with output.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(length - _READ, 0))
            read = file.read(_READ)
    except OSError as error:
        return f"(the output cannot be read: {error.strerror})"
    return redact_text(read.decode(errors="backslashreplace")).strip()[-size:].strip()
