"""Switches `current` to another release if the live one is still the expected one, then runs the restart command.

Run as a program of its own under the run-once wrapper:
switch_release.py PATH LIVE TARGET [--full '{"stop": [...], "database": [...]}'] -- RESTART...
With --full it stops the services and takes the database back before the switch, while LIVE is still there. Where one of
both fails, LIVE stays, is started again by RESTART, and the exit code is that of what failed.
Exit codes: 0 switched and restarted, 65 the live release is another one and nothing was touched, 66 the target is
missing and nothing was touched, 74 the link could not be written, 127 a command could not be started, else that of the
command that failed.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CHANGED, MISSING, FAILED, NOT_STARTABLE = 65, 66, 74, 127
_PR_SET_PDEATHSIG = 1


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


def switch(path: Path, live: str, target: str, before: Callable[[], int] | None = None) -> int:
    """Point `current` to `target` in one step, once `before` returned 0; returns 0, CHANGED, MISSING or its code."""
    # Deploys that take the same lock cannot come between the look and the switch.
    with (path / "switch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            found = live_release(path)
        except (OSError, ValueError) as error:
            _say(f"{path / 'current'} cannot be read: {error}; nothing was touched")
            return CHANGED
        if found == target and before is None:
            _say(f"{target} is live already")
            return 0
        if found != live:
            _say(f"the live release is {found}, not {live} as planned; nothing was touched")
            return CHANGED
        if not is_release(path, target):
            _say(f"release {target} is not there; nothing was touched")
            return MISSING
        if before is not None and (code := before()):
            return code
        _put_link(path, target)
        _say(f"current: {live} -> {target}")
        return 0


def _put_link(path: Path, target: str) -> None:
    new = path / f"current.new.{os.getpid()}"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / target)
    new.rename(path / "current")
    directory = os.open(path, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def main(arguments: list[str]) -> int:
    """Switch, then restart; returns the exit code."""
    path, live, target, *rest = arguments
    restart = rest[rest.index("--") + 1 :]
    full: dict[str, list[str]] = json.loads(rest[1]) if rest[0] == "--full" else {}
    is_database_back = False

    def before() -> int:
        nonlocal is_database_back
        for step in ("stop", "database"):
            if code := _run(full[step]) if full[step] else 0:
                _say(f"{step}: {full[step][0]} ended with exit code {code}; {live} stays live and is started again")
                _run(restart)
                return code
        is_database_back = True
        _say("the database was taken back")
        return 0

    try:
        if code := switch(Path(path), live, target, before if full else None):
            return code
    except OSError as error:
        _say(f"{live} could not be switched to {target}: {error}")
        if is_database_back:
            _say("but the database has been taken back already, and the services may be stopped")
        return FAILED
    return _run(restart)


# The same stands in act_if_live.py: each is a program of one file, which is started without a path to import from.
def _run(command: list[str]) -> int:
    libc = ctypes.CDLL(None)
    try:
        code = subprocess.run(
            command,
            check=False,
            # Ended with this process, since nobody would know of it any more.
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        ).returncode
    except OSError as error:
        _say(f"{command[0]} cannot be started: {error.strerror}")
        return NOT_STARTABLE
    return code if code >= 0 else 128 - code  # ended by a signal, as a shell has it


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - this is a program of its own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
