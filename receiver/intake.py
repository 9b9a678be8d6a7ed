"""Stores notifications before they are answered; those that come at once share one transaction."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.errors import JournalError
from receiver.journal import counts, notifications
from receiver.journal.database import Database

GATHER = 0.005
"""Seconds that a notification waits at most for as many others as came with the last ones, to share a commit."""


@dataclass(slots=True)
class _Waiting:
    """A notification whose request waits; it is stored once it has an id, or has failed."""

    alerts: Sequence[dict[str, object]]
    truncated: int
    unusable: int
    called: threading.Lock
    """Held until the notification is stored, has failed, or it is the turn of its request to store."""
    id: str | None = None
    error: BaseException | None = None


class Intake:
    """The way of notifications into one journal; `gather` is how long one waits for others (seconds)."""

    def __init__(self, database: Database, gather: float = GATHER) -> None:
        self._database = database
        self._gather = gather
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_storing = False
        # Senders that have been answered send again: as many as were there are soon here. Of one alone there is none.
        self._expected = 1
        self._have_come = threading.Event()

    def store(self, alerts: Sequence[dict[str, object]], truncated: int, unusable: int) -> str:
        """Keep a notification; returns its id once that has been committed, and raises JournalError where it was not.

        `unusable` is how many more alerts it held, which are only counted.
        """
        mine = _Waiting(alerts, truncated, unusable, threading.Lock())
        mine.called.acquire()
        with self._lock:
            self._waiting.append(mine)
            must_wait, self._is_storing = self._is_storing, True
            self._see_who_has_come()
        if must_wait:
            mine.called.acquire()
        if mine.id is None and mine.error is None:  # otherwise whose turn it was before has stored it too
            self._store_all(mine)
        if isinstance(mine.error, JournalError):
            raise JournalError(str(mine.error)) from mine.error
        if mine.error is not None:
            raise mine.error
        return str(mine.id)

    def _store_all(self, mine: _Waiting) -> None:
        """Store what waits, and wake who waited for that and, of those who came meanwhile, the one that stores next."""
        waiting: list[_Waiting] = []
        try:
            self._have_come.wait(self._gather)
            with self._database.write() as tx:
                now = self._database.now(tx)
                waiting = self._take()  # as late as that, so that there are many
                ids = notifications.store_all(tx, now, [(one.alerts, one.truncated) for one in waiting])
                if unusable := sum(one.unusable for one in waiting):
                    counts.bump(tx, "alerts", unusable, outcome="invalid")
        except BaseException as error:  # whatever it is, none of them is stored, and each must hear so
            waiting = waiting or self._take()
            for one in waiting:
                one.error = error
        else:
            for one, id_ in zip(waiting, ids, strict=True):
                one.id = id_
        with self._lock:
            woken = [*waiting, *self._waiting[:1]]
            self._is_storing = bool(self._waiting)
            self._expected = len(waiting) + len(self._waiting)
            self._see_who_has_come()
        for one in woken:
            if one is not mine:
                one.called.release()

    def _take(self) -> list[_Waiting]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting

    def _see_who_has_come(self) -> None:
        """Let whose turn it is store, or wait for those that are still expected; the lock is held."""
        if len(self._waiting) >= self._expected:
            self._have_come.set()
        else:
            self._have_come.clear()
