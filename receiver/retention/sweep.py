"""Removes what is beyond the limits, kind by kind; one that fails keeps no other from its turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from receiver.errors import RollbackAgentError
from receiver.journal.counts import bump
from receiver.log import get_log
from receiver.retention.audit import audit
from receiver.retention.backups import backups
from receiver.retention.hotfixes import hotfixes
from receiver.retention.incidents import incidents
from receiver.retention.logs import logs
from receiver.retention.notifications import notifications
from receiver.retention.outputs import outputs
from receiver.retention.questions import questions
from receiver.retention.reports import reports
from receiver.retention.store import Store

Kind = Callable[[Store, bool], Iterator[str]]

KINDS: tuple[Kind, ...] = (notifications, incidents, questions, hotfixes, reports, outputs, logs, backups, audit)
KIND_NAMES = tuple(kind.__name__ for kind in KINDS)


class Sweep:
    """One agent's hourly clearing up; `store` gives what is to be cleared up as it is configured now."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self.failures: Counter[str] = Counter(dict.fromkeys(KIND_NAMES, 0))
        """How often each kind failed in this process."""
        self.succeeded_at: float | None = None
        """When all kinds last had their turn without a failure (Unix seconds)."""

    def work(self) -> None:
        """Clear up once. What fails is logged and counted, and the next hour tries again."""
        store = self._store()
        failed = [kind.__name__ for kind in KINDS if not self._one(kind, store)]
        self.failures.update(failed)
        if not failed:
            self.succeeded_at = store.clock()

    def _one(self, kind: Kind, store: Store) -> bool:
        removed = 0
        try:
            try:
                for what in kind(store, False):
                    removed += 1
                    get_log().debug("removed", kind=kind.__name__, what=what)
            finally:
                if removed:
                    get_log().info("removed what is beyond the limits", kind=kind.__name__, count=removed)
                count(store, kind.__name__, removed)
        except (RollbackAgentError, OSError) as error:
            get_log().error("cannot be cleared up, will be tried again", kind=kind.__name__, error=str(error))
            return False
        return True


def count(store: Store, kind: str, removed: int) -> None:
    """Count what was removed, for every replica's metrics; raises JournalError."""
    if removed:
        with store.database.write() as tx:
            bump(tx, "removed", removed, kind=kind)
