"""Everything that is kept, as the kinds see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from receiver.audit_files import TrailFiles
from receiver.config import Config
from receiver.journal import past
from receiver.journal.database import Database
from receiver.world import Audit


class Trail(Audit, Protocol):
    """The audit trail, and the files that it is in."""

    files: TrailFiles


@dataclass(frozen=True, slots=True)
class Store:
    """One agent's journal, trail and files; `clock` gives Unix seconds, `actor` is who has it cleared up."""

    config: Config
    database: Database
    audit: Trail
    clock: Callable[[], float]
    actor: str

    def in_use(self) -> past.InUse:
        """Whose files stay whatever the limits say; raises JournalError."""
        with self.database.read() as tx:
            return past.in_use(tx, self.database.now(tx), self.config.guardrails.longest_period)
