"""What Prometheus and Alertmanager say, and what the agent says to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from receiver.model.words import MOST_DEMANDING_FIRST, Action, Level


@dataclass(frozen=True, slots=True)
class Demand:
    """What a firing branch asks for; the same branch may ask for more later, which is then another demand."""

    branch: str
    action: Action


@dataclass(frozen=True, slots=True)
class Branch:
    """One firing alert of the tree, as Prometheus tells it."""

    alert: str
    branch: str
    rank: int
    action: Action
    level: Level | None
    confidence: float | None
    service: str | None
    labels: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """All of the alert's labels, those above too."""

    @property
    def precedence(self) -> tuple[bool, int, int, str]:
        """The least decides: the lowest rank, and of two with the same the more demanding.

        A watch goes on whoever decides, so it yields to any that wants more: missing data, of the last rank, must not
        wait for a human until a watch above it ends.
        """
        demanding = MOST_DEMANDING_FIRST.index(self.action)
        return self.action is Action.WATCH, self.rank, demanding, self.service or ""


@dataclass(frozen=True, slots=True)
class Signal:
    """The newest sample of a recorded series; `value` is None where there is none or it is NaN."""

    name: str
    service: str | None
    value: float | None
    at: float

    @property
    def series(self) -> str:
        """The signal's name with its service, as a person would write it."""
        return f'{self.name}{{service="{self.service}"}}' if self.service else self.name

    @property
    def reading(self) -> str:
        """The value, as a person would write it."""
        return "no data" if self.value is None else f"{self.value:.4g}"


@dataclass(frozen=True, slots=True)
class History:
    """The samples of a signal over a time, oldest first: moments (Unix seconds) and numbers."""

    name: str
    service: str | None
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What Prometheus said about one deployment at one moment (Unix seconds)."""

    read_at: float
    firing: tuple[Branch, ...]
    unreadable: tuple[str, ...]
    """Firing alerts of the deployment that claim to be a branch but lack its labels."""
    signals: tuple[Signal, ...]
    queries: tuple[str, ...] = ()
    """The PromQL that was asked for what fires and for the signals."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What fires beyond one deployment: those that ask for a rollback, and alerts about what they share."""

    deployments: frozenset[str]
    dependencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of Alertmanager; `ends_at` is in Unix seconds."""

    id: str
    created_by: str
    comment: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert as Alertmanager is told of it; it fires until `ends_at` (Unix seconds, as all times)."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: float
    ends_at: float
    link: str | None
    """Where people see what it is about."""
