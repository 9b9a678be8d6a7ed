"""What would keep a target from being rolled back, looked at before it has to be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from receiver.errors import TargetError
from receiver.inspection.found import UNFINISHED
from receiver.model import Level
from receiver.world import Target


def faults(target: Target) -> tuple[str, ...]:
    """A sentence for each fault; it reads, and changes nothing."""
    programs = dict.fromkeys((*target.programs(Level.FAST), *target.programs(Level.FULL)))
    found = [why for program in programs if (why := why_unusable(Path(program)))]
    try:
        target.live()
        target.known()
    except TargetError as error:
        found.append(str(error))
    return (*found, *target.faults())


def why_unusable(program: Path) -> str | None:
    """Why a program cannot be started, as far as its file tells."""
    if program.is_relative_to(UNFINISHED):
        return f"{program} is still to be filled in: the configuration needs the path of your own program there"
    try:
        mode = program.stat().st_mode
    except OSError as error:
        return f"{program}: {error.strerror}"
    if not stat.S_ISREG(mode):
        return f"{program} is no file"
    return None if os.access(program, os.X_OK) else f"{program} is not executable"
