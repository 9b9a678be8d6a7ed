"""Stores notifications before they are answered; those that come at once share one transaction."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.errors import JournalError
from receiver.journal import counts, notifications
from receiver.journal.database import Database


@dataclass(slots=True)
class _Waiting:
    """A notification whose request waits; it is stored once it has an id, or has failed."""

    alerts: Sequence[dict[str, object]]
    truncated: int
    unusable: int
    id: str | None = None
    error: Exception | None = None


class Intake:
    """The way of notifications into one journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._adding = threading.Lock()

    def store(self, alerts: Sequence[dict[str, object]], truncated: int, unusable: int) -> str:
        """Keep a notification; returns its id once that has been committed, and raises JournalError where it was not.

        `unusable` is how many more alerts it held, which are only counted.
        """
        mine = _Waiting(alerts, truncated, unusable)
        with self._adding:
            self._waiting.append(mine)
        with self._turn:
            if mine.id is None and mine.error is None:  # otherwise whose turn it was before has stored it too
                self._store_all()
        if isinstance(mine.error, JournalError):
            raise JournalError(str(mine.error)) from mine.error
        if mine.error is not None:
            raise mine.error
        return str(mine.id)

    def _store_all(self) -> None:
        with self._adding:
            waiting, self._waiting = self._waiting, []
        try:
            with self._database.write() as tx:
                now = self._database.now(tx)
                ids = notifications.store_all(tx, now, [(one.alerts, one.truncated) for one in waiting])
                if unusable := sum(one.unusable for one in waiting):
                    counts.bump(tx, "alerts", unusable, outcome="invalid")
        except Exception as error:  # whatever it is, none of them is stored, and each must hear so
            for one in waiting:
                one.error = error
        else:
            for one, id_ in zip(waiting, ids, strict=True):
                one.id = id_
