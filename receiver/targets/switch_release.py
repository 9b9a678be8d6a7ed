"""Switches `current` to another release if the live one is still the expected one, then runs the restart command.

Run as a program of its own under the run-once wrapper: switch_release.py PATH LIVE TARGET -- RESTART...
Exit codes: 0 switched and restarted, 65 the live release is another one and nothing was touched, 66 the target is
missing and nothing was touched, 74 the link could not be written, 127 switched but the restart command could not be
started, else the restart command's own.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

CHANGED, MISSING, FAILED, NOT_STARTABLE = 65, 66, 74, 127


def live_release(path: Path) -> str:
    """The id of the release that `current` points to; raises OSError or ValueError where it points elsewhere."""
    link = (path / "current").readlink()
    absolute = Path(os.path.normpath(path / link))
    if absolute.parent != Path(os.path.normpath(path / "releases")):
        raise ValueError(f"it points to {link}, which is no directory of {path / 'releases'}")
    return absolute.name


def is_release(path: Path, name: str) -> bool:
    """Whether `name` is that of a directory of `path`/releases, and no way out of it."""
    return name not in ("", ".", "..") and "/" not in name and (path / "releases" / name).is_dir()


def switch(path: Path, live: str, target: str) -> int:
    """Point `current` to `target` in one step; returns 0, CHANGED or MISSING."""
    # Deploys that take the same lock cannot come between the look and the switch.
    with (path / "switch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            found = live_release(path)
        except (OSError, ValueError) as error:
            print(f"{path / 'current'} cannot be read: {error}; nothing was touched")  # noqa: T201
            return CHANGED
        if found == target:
            print(f"{target} is live already")  # noqa: T201
            return 0
        if found != live:
            print(f"the live release is {found}, not {live} as planned; nothing was touched")  # noqa: T201
            return CHANGED
        if not is_release(path, target):
            print(f"release {target} is not there; nothing was touched")  # noqa: T201
            return MISSING
        new = path / f"current.new.{os.getpid()}"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / target)
        new.rename(path / "current")
        directory = os.open(path, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        print(f"current: {live} -> {target}", flush=True)  # noqa: T201
        return 0


def main(arguments: list[str]) -> int:
    """Switch, then restart; returns the exit code."""
    path, live, target, _, *restart = arguments
    try:
        code = switch(Path(path), live, target)
    except OSError as error:
        print(f"{live} could not be switched to {target}: {error}")  # noqa: T201
        return FAILED
    return code or _restart(restart, target)


def _restart(command: list[str], target: str) -> int:
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        print(f"{target} is live, but {command[0]} cannot be started: {error.strerror}")  # noqa: T201
        return NOT_STARTABLE
    return code if code >= 0 else 128 - code  # ended by a signal, as a shell has it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
