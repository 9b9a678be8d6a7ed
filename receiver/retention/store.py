"""Everything that is kept, as the kinds see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from receiver.audit_files import TrailFiles
from receiver.config import Config
from receiver.journal import past
from receiver.journal.database import Database


class Audit(Protocol):
    """The audit trail; raises AuditError where the record is not on disk."""

    files: TrailFiles

    def record(
        self,
        decision: str,
        reasoning: str,
        *,
        actor: str = ...,
        deployment: str | None = ...,
        run: str | None = ...,
        facts: Mapping[str, object] | None = ...,
    ) -> None:
        """Write one record and sync it."""
        ...


@dataclass(frozen=True, slots=True)
class Store:
    """One agent's journal, trail and files; `clock` gives Unix seconds, `actor` is who has it cleared up."""

    config: Config
    database: Database
    audit: Audit
    clock: Callable[[], float]
    actor: str

    def in_use(self) -> past.InUse:
        """Whose files stay whatever the limits say; raises JournalError."""
        with self.database.read() as tx:
            return past.in_use(tx, self.database.now(tx), self.config.guardrails.longest_period)
