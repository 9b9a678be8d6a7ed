"""Which agent of several this is: the one that the marks of its commands belong to, and no other."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from receiver.errors import RollbackAgentError

_NAME = "replica"


def identify(commands: Path) -> str:
    """This machine's name, and an id that lies with the marks of the commands and is made with the first.

    So it is another one where the marks are not: on another machine, and where their directory was lost.
    """
    file = commands / _NAME
    try:
        with suppress(FileExistsError):
            _make(file)
        return f"{socket.gethostname()}/{file.read_text(encoding='ascii').strip()}"
    except (OSError, ValueError) as error:
        raise RollbackAgentError(f"{file}: which replica this is cannot be kept: {error}") from error


def _make(file: Path) -> None:
    """Write a new id, whole or not at all, unless there is one."""
    partial = file.with_name(f".{_NAME}.{secrets.token_hex(4)}")
    try:
        with partial.open("w", encoding="ascii") as out:
            out.write(f"{secrets.token_hex(4)}\n")
            out.flush()
            os.fsync(out.fileno())
        os.link(partial, file)
    finally:
        partial.unlink(missing_ok=True)
