"""What a run meets, for tests: a real journal, audit trail and command; only Prometheus and the target are ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from receiver.audit import AuditTrail
from receiver.config import Config
from receiver.errors import AlertmanagerError, AlertRefused, PrometheusError
from receiver.journal.database import Database
from receiver.model import Action, Branch, History, Level, RaisedAlert, Release, Signal, Silence, Storm, Telemetry
from receiver.prometheus_api import Series
from receiver.rules.groups import Group
from receiver.tree.snapshot import Snapshot
from receiver.world import World

GOOD, BAD = "r1", "r2"
AVAILABILITY, HEALTH = "deployment:availability:ratio", "service:availability:ratio"
BEYOND = "deployment:beyond_threshold:bool"


def branch(name: str = "service_down", action: Action = Action.ROLLBACK, **changes: Any) -> Branch:
    """One firing branch, as Prometheus would tell it."""
    rolls_back = action is Action.ROLLBACK
    fields: dict[str, Any] = {
        "alert": name.title().replace("_", ""),
        "branch": name,
        "rank": 1,
        "action": action,
        "level": Level.FAST if rolls_back else None,
        "confidence": 0.99 if rolls_back else None,
        "service": None,
        "labels": (("branch", name), ("deployment", "qrl")),
    }
    return Branch(**fields | changes)


class Clock:
    """Real Unix time, and what a test has added to it."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._standing: float | None = None

    def __call__(self) -> float:
        return (time.time() if self._standing is None else self._standing) + self.ahead

    def stand_still(self) -> None:
        """Let time pass only where a test says so, however slow the machine is."""
        self._standing = time.time()

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self.ahead += seconds


class ToldPrometheus:
    """Answers what a test has told it of `qrl`: what fires, the signals' values, or an error."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.firing: tuple[Branch, ...] = ()
        self.unreadable: tuple[str, ...] = ()
        self.availability: float | None = 1.0
        self.health: dict[str, tuple[float, ...]] = {"flask": (1.0, 1.0, 1.0)}
        self.samples_at: Callable[[], float] = clock
        """When the newest sample of every signal was taken."""
        self.beyond: float | None = 0.0
        """Whether a signal is beyond its threshold; None where the rules do not say."""
        self.quiet = True
        self.storming: frozenset[str] = frozenset({"qrl"})
        """The deployments that ask for a rollback."""
        self.alerting: frozenset[str] = frozenset()
        """Alerts beyond the tree that fire."""
        self.past: Callable[[float, float], tuple[History, ...]] | None = None
        """How the signals went between two moments."""
        self.remembers = True
        """Whether it knows of what has fired before."""
        self.error: Exception | None = None
        self.asked = 0
        self.when_asked: Callable[[int], None] = lambda _: None
        """Called with the number of the question, from 1, before it is answered."""

    def telemetry(self, deployment: str) -> Telemetry:
        """What fires and the signals, as told."""
        self._ask(deployment)
        at = self.samples_at()
        signals = [Signal(AVAILABILITY, None, self.availability, at)]
        signals += [Signal(HEALTH, service, values[-1], at) for service, values in self.health.items() if values]
        if self.beyond is not None:
            signals.append(Signal(BEYOND, None, self.beyond, at))
        signals.sort(key=lambda signal: signal.series)
        return Telemetry(self._clock(), self.firing, self.unreadable, tuple(signals))

    def samples(self, deployment: str, _signal: str, _since: float) -> dict[str, tuple[float, ...]]:
        """The values as told."""
        self._ask(deployment)
        return self.health

    def history(self, deployment: str, since: float, until: float) -> tuple[History, ...]:
        """The past as told, or one sample of availability as it is now; asked beside the telemetry, as storm is."""
        self._answer(deployment)
        if self.past is not None:
            return self.past(since, until)
        now = () if self.availability is None else ((until, self.availability),)
        return (History(AVAILABILITY, None, tuple(point for point in now if since <= point[0])),)

    def fired(self, deployment: str, _since: float, _until: float) -> bool:
        """Whether anything fired then, as told; asked beside the telemetry."""
        self._answer(deployment)
        return self.remembers

    def storm(self, dependencies: Iterable[str]) -> Storm:
        """What fires elsewhere, as told; no question of its own, since it is always asked beside the telemetry."""
        self._answer("qrl")
        return Storm(self.storming, self.alerting & frozenset(dependencies))

    def quiet_for(self, deployment: str, _seconds: float) -> bool:
        """Whether it was quiet, as told."""
        self._ask(deployment)
        return self.quiet

    def _ask(self, deployment: str) -> None:
        self.asked += 1
        self.when_asked(self.asked)
        self._answer(deployment)

    def _answer(self, deployment: str) -> None:
        if self.error is not None:
            raise self.error
        if deployment != "qrl":
            raise PrometheusError(f"nothing is known of {deployment}")


class ToldTree:
    """Answers what a test has told it: the tree of no rules, or an error."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.groups: tuple[Group, ...] = ()
        self.values: dict[str, tuple[Series, ...]] = {}
        self.error: Exception | None = None

    def read(self, deployment: str) -> Snapshot:
        """The tree as told."""
        if self.error is not None:
            raise self.error
        return Snapshot(self._clock(), deployment, self.groups, self.values)


class ToldAlertmanager:
    """Answers what a test has told it: which silences cover everything, or an error."""

    def __init__(self) -> None:
        self.silences: tuple[Silence, ...] = ()
        self.error: Exception | None = None

    def active_silences(self, _labels: dict[str, str]) -> tuple[Silence, ...]:
        """The silences as told."""
        if self.error is not None:
            raise self.error
        return self.silences


class ToldOfAlerts:
    """Takes alerts as Alertmanager would: all, none while it is down, and never those that it refuses."""

    def __init__(self) -> None:
        self.told: list[RaisedAlert] = []
        self.attempts = 0
        self.down = False
        self.refuses: set[str] = set()
        """Deployments whose alerts it refuses."""
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while it is being told."""

    def tell(self, alert: RaisedAlert) -> None:
        self.attempts += 1
        if self.down:
            raise AlertmanagerError("Alertmanager at http://am cannot be asked: refused")
        if alert.labels["deployment"] in self.refuses:
            raise AlertRefused("Alertmanager at http://am answered 400 to an alert: bad")
        self.told.append(alert)
        self.meanwhile()

    def take(self) -> list[str]:
        """The deployment of each alert that was told since this was asked."""
        taken = [alert.labels["deployment"] for alert in self.told]
        self.told.clear()
        return taken


class ToldTransactions:
    """Answers what a test has told it: which transactions are open, or an error."""

    def __init__(self) -> None:
        self.open: tuple[str, ...] = ()
        self.error: Exception | None = None

    def pending(self) -> tuple[str, ...]:
        """The transactions as told."""
        if self.error is not None:
            raise self.error
        return self.open


class FileTarget:
    """A deployment that is one file: each line is a release that was made live, the last one is live."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.timeout = 10.0
        self.started_in_turn: tuple[str, ...] = ()
        self.error: Exception | None = None
        self.script = 'echo "$1" >> "$2"; echo switched to "$1"'
        self.since: Callable[[], float | None] = lambda: file.stat().st_mtime
        self.commits = {BAD: "d" * 40}
        """The commits of the releases; of one that is not named here it is the same letter."""
        self.when_read: Callable[[], None] = lambda: None
        """Called before the live release is told."""

    def live(self) -> Release:
        """The last line."""
        self.when_read()
        if self.error is not None:
            raise self.error
        return Release(self.lines()[-1], self.commits.get(self.lines()[-1], "c" * 40), self.since())

    def known(self) -> tuple[Release, ...]:
        """Every release that was live at some time."""
        return tuple(Release(name, self.commits.get(name, "c" * 40)) for name in dict.fromkeys(self.lines()))

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """A shell that appends the target's line; it is told the level and the live release, too."""
        return ("/bin/sh", "-c", self.script, "sh", target.id, str(self._file), level, live.id)

    def programs(self, level: Level) -> tuple[str, ...]:
        """What a test says of a fast rollback."""
        return self.started_in_turn if level is Level.FAST else ()

    def time_limit(self, level: Level) -> float:
        """What a test says; a full rollback may take twice as long."""
        return self.timeout * (2 if level is Level.FULL else 1)

    def faults(self) -> tuple[str, ...]:
        """None: it is a file."""
        return ()

    def ship(self, release: str) -> None:
        """Make a release live, as a deploy would."""
        with self._file.open("a") as file:
            file.write(f"{release}\n")

    def history(self, release: str) -> None:
        """Let a release be one that was live before all others."""
        self._file.write_text(f"{release}\n{self._file.read_text()}")

    def lines(self) -> list[str]:
        """Which releases were made live, one after the other."""
        return self._file.read_text().split()


def configuration(root: Path, **changes: Any) -> Config:
    """A configuration of one deployment `qrl`; `changes` replace top-level keys, `qrl` keys of the deployment."""
    target = {"releases": {"path": str(root / "srv"), "restart": ["/bin/true"]}}
    content: dict[str, Any] = {
        "root": str(root),
        "webhook": {"token_file": str(root / "webhook.token")},
        "prometheus": {"url": "http://127.0.0.1:1"},
        "alertmanager": {"url": "http://127.0.0.1:1"},
        "autonomy": "L4",
        "guardrails": {"disk_space": {"minimum_bytes": 0}},
        "deployments": {"qrl": {"target": target, **changes.pop("qrl", {})}},
    }
    return Config.model_validate(content | changes)


def surroundings(
    config: Config, database: Database, prometheus: ToldPrometheus, target: FileTarget, clock: Callable[[], float]
) -> World:
    """The world of `qrl`, with an audit trail on disk."""
    config.logs.mkdir(parents=True, exist_ok=True)
    return World(
        deployment="qrl",
        config=config,
        settings=config.deployments["qrl"],
        database=database,
        prometheus=prometheus,
        tree=ToldTree(clock),
        alertmanager=ToldAlertmanager(),
        transactions=(ToldTransactions(),),
        target=target,
        audit=AuditTrail(config.audit_files, clock),
        clock=clock,
        serving_since=clock(),
        replica="here",
    )
