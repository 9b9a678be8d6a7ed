"""Finds out whether the journal can be written, by writing it: on a full disk it can be read all the same."""

from __future__ import annotations

from receiver.errors import JournalError
from receiver.journal import seen
from receiver.journal.database import Database
from receiver.log import get_log


class JournalWatch:
    """Looks every now and then; `fault` says why the journal could not be written at the last look, or is None."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fault: str | None = None

    def look(self) -> None:
        """Write one row."""
        try:
            with self._database.write() as tx:
                seen.leave_mark(tx, seen.JOURNAL, self._database.now(tx))
        except JournalError as error:
            if self.fault is None:
                get_log().critical("the journal cannot be written, so nothing is done", error=str(error))
            self.fault = str(error)
            return
        if self.fault is not None:
            get_log().info("the journal can be written again")
        self.fault = None
