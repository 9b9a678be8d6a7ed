"""Programs of our own in the place of a database's."""

from __future__ import annotations

import stat
from pathlib import Path


def program(directory: Path, name: str, script: str) -> Path:
    """Write a shell script that can be started."""
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file
