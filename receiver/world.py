"""Everything outside of a run that its phases may ask or change, for one deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from receiver.config import Config
from receiver.config.deployment import Deployment
from receiver.journal.database import Database
from receiver.model import History, Level, Release, Silence, Storm, Telemetry
from receiver.tree.snapshot import Snapshot


class TelemetrySource(Protocol):
    """Prometheus, as the phases see it; all raise PrometheusError where the answer is not complete."""

    def telemetry(self, deployment: str) -> Telemetry:
        """What fires on the deployment, and its signals."""
        ...

    def samples(self, deployment: str, signal: str, since: float) -> dict[str, tuple[float, ...]]:
        """A signal's values after `since`, oldest first, by service."""
        ...

    def history(self, deployment: str, since: float, until: float) -> tuple[History, ...]:
        """All signals between two moments."""
        ...

    def fired(self, deployment: str, since: float, until: float) -> bool:
        """Whether it remembers that a rollback branch fired on the deployment between two moments."""
        ...

    def storm(self, dependencies: Iterable[str]) -> Storm:
        """All deployments on which a rollback branch fires, and which of the alerts `dependencies` fire."""
        ...


class TreeSource(Protocol):
    """The rules that Prometheus evaluates, as the phases see them; raises PrometheusError."""

    def read(self, deployment: str) -> Snapshot:
        """The decision tree as it stands."""
        ...


class SilenceSource(Protocol):
    """Alertmanager, as the phases see it; raises AlertmanagerError."""

    def active_silences(self, labels: dict[str, str]) -> tuple[Silence, ...]:
        """The silences that cover the alert with these labels."""
        ...


class TransactionSource(Protocol):
    """A database of the deployment, as the phases see it; raises TransactionsError."""

    def pending(self) -> tuple[str, ...]:
        """A sentence for each transaction that has been open for too long."""
        ...


class Target(Protocol):
    """What is rolled back; all raise TargetError."""

    def live(self) -> Release:
        """The release that is live."""
        ...

    def known(self) -> tuple[Release, ...]:
        """The releases that could be live."""
        ...

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """The argv that goes from `live` to `target`, if `live` is still live when it runs."""
        ...

    def programs(self, level: Level) -> tuple[str, ...]:
        """What that command starts in turn, beside the program that it names first."""
        ...

    def time_limit(self, level: Level) -> float:
        """Seconds that it may take."""
        ...

    def faults(self) -> tuple[str, ...]:
        """A sentence for each thing that would keep it from acting; it reads, and changes nothing."""
        ...


class Audit(Protocol):
    """The audit trail; raises AuditError where the record is not on disk."""

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
class World:
    """One deployment's surroundings; `clock` gives Unix seconds, and so is `serving_since`."""

    deployment: str
    config: Config
    settings: Deployment
    database: Database
    prometheus: TelemetrySource
    tree: TreeSource
    alertmanager: SilenceSource
    transactions: tuple[TransactionSource, ...]
    target: Target
    audit: Audit
    clock: Callable[[], float]
    serving_since: float
    replica: str
    """Which of several agents this is; empty where it is none that serves."""
