"""What the guardrails are asked about: read once, then only looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from receiver.config.guardrails import Guardrails
from receiver.journal.releases import Deploy
from receiver.model import Attribution, Backup, Plan, Release, Signal, Silence, Storm, Trigger


class Claims(Protocol):
    """The part of the facts that the budget is about; a backtest knows no more."""

    @property
    def now(self) -> float:
        """The moment (Unix seconds)."""
        ...

    @property
    def limits(self) -> Guardrails:
        """What the guardrails go by."""
        ...

    @property
    def earlier_claims(self) -> tuple[float, ...]:
        """When rollbacks of the deployment were claimed (Unix seconds), oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """One moment of one run (Unix seconds, bytes); where a fact could not be read, its `..._unknown` says why."""

    now: float
    limits: Guardrails
    trigger: Trigger
    plan: Plan
    decided_branch: str
    live_release: str | None
    live_release_unknown: str | None
    live_since: float | None
    live_by_run: str | None
    """The run whose rollback made the live release live, where no deploy has since."""
    target: Release | None
    irreversible: tuple[str, ...]
    """The releases after the target, up to the live one, whose migration cannot be undone."""
    deploys: tuple[Deploy, ...]
    """Those under way, oldest first."""
    transactions: tuple[str, ...] | None
    """A sentence for each that has been open for too long."""
    transactions_unknown: str | None
    unusable_programs: tuple[str, ...]
    """A sentence for each program of the plan that cannot be started."""
    firing: frozenset[str] | None
    firing_unknown: str | None
    signals: tuple[Signal, ...] | None
    signals_unknown: str | None
    max_age: float
    """Seconds after which a sample is no fact."""
    storm: Storm | None
    storm_unknown: str | None
    silences: tuple[Silence, ...] | None
    """Those that cover what asks for the rollback; empty where something that asks for it is not silenced."""
    silences_unknown: str | None
    earlier_claims: tuple[float, ...]
    latch: str | None
    kill_switch: bool | None
    watchdog_seen: float | None
    serving_since: float
    free_bytes: int | None
    backup_bytes: int | None
    backup_unknown: str | None
    backup: Backup | None
    backup_due: bool
    """Whether the backup must be there by now."""
    attribution: Attribution | None = None
    """How well the live release explains the fault, as it was decided."""
    kill_switch_unknown: str | None = None
