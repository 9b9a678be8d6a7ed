"""Whether a SQLite journal is there and whole; one that is not is never made anew unless a person says so."""

from __future__ import annotations

from pathlib import Path

from receiver.errors import JournalError
from receiver.journal.database import Database


def require_whole(database: Database) -> None:
    """Raise JournalError where SQLite finds its file damaged; it names the first fault."""
    with database.read() as tx:
        found = str(tx.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
    if found != "ok":
        raise JournalError(
            f"{database.url.database}: is damaged: {' '.join(found.split())}; put a copy of it back, "
            "or move it away and begin a new journal with `serve --new-journal`"
        )


def require_journal(file: Path, served_before: bool, wants_new: bool) -> None:
    """Raise JournalError where there should be a journal and is none, or where one is there and a new one is wanted."""
    is_there = file.exists() and file.stat().st_size > 0
    if wants_new and is_there:
        raise JournalError(f"{file}: there is a journal, so none is begun; start without --new-journal")
    if served_before and not is_there and not wants_new:
        raise JournalError(
            f"{file}: the journal is gone, although an agent has served here: it holds the budget, the latches, the "
            "held releases and what has begun; put it back, or begin a new one with `serve --new-journal`"
        )
