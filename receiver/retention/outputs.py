"""What rollback commands printed, and the marks by which a run finds its command again: they go together."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from pathlib import Path

from receiver.retention import files
from receiver.retention.files import Kept
from receiver.retention.store import Store

_OUTPUT = re.compile(r"rollback-([0-9a-f]{8})\.log")
_RUN = re.compile(r"[0-9a-f]{8}")


def outputs(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those beyond `retention.outputs` whose run nothing needs; a sentence about each run whose are gone.

    Never those of a run that has not ended, of which the journal knows, nor of a command that still runs.
    """
    if not dry_run:
        files.remove_remains(store.config.commands)
    going = files.beyond(_all(store), store.config.retention.outputs, store.clock())
    for one in files.remove_all(store, going, "output", "runs", dry_run=dry_run):
        yield f"output of run {one.name}"


def _all(store: Store) -> list[Kept]:
    logs, commands, needed = store.config.logs, store.config.commands, store.in_use().runs
    runs = {found[1] for file in files.regular_files(logs) if (found := _OUTPUT.fullmatch(file.name))}
    runs |= {directory.name for directory in files.directories(commands) if _RUN.fullmatch(directory.name)}
    found_ = (
        # The marks last: whoever looks for the output of a run by them finds none, and not half of it.
        files.measured(
            run, (logs / f"rollback-{run}.log", commands / run), run in needed or _is_running(commands / run)
        )
        for run in sorted(runs)
    )
    return [one for one in found_ if one is not None]


def _is_running(marks: Path) -> bool:
    """Whether the wrapper of the command still holds its lock."""
    try:
        with (marks / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
