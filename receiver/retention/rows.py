"""Rows of the journal that go a portion at a time, so that who waits to write does not wait for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import sqlalchemy as sa

from receiver.retention.store import Store

AT_ONCE = 1000
"""Rows of one transaction."""


class Rows(Protocol):
    """One thing that the journal remembers; `before` is in Unix seconds, what is given are ids."""

    def forgettable(self, tx: sa.Connection, before: float, /) -> list[str]:
        """Those that would go."""
        ...

    def forget(self, tx: sa.Connection, before: float, limit: int, /) -> list[str]:
        """Remove up to `limit` of them."""
        ...


def remove_before(store: Store, rows: Rows, before: float) -> Iterator[str]:
    """Remove all that ended before; their ids, once they are gone. Replicas that do it at once remove each once."""
    while True:
        with store.database.write() as tx:
            removed = rows.forget(tx, before, AT_ONCE)
        yield from removed
        if len(removed) < AT_ONCE:
            return


def remove_with_incidents(store: Store, rows: Rows, *, dry_run: bool) -> Iterator[str]:
    """The same of those that are kept as long as incidents are; with `dry_run` only say which."""
    with store.database.read() as tx:
        before = store.database.now(tx) - store.config.retention.incidents.age
        if dry_run:
            yield from rows.forgettable(tx, before)
            return
    yield from remove_before(store, rows, before)
