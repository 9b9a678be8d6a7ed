"""Starts services, monitoring and receiver, in this order, and stops them in the other."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo import settings
from demo.agent import Agent
from demo.deployment import Deployment
from demo.history import GRACE, History, write_blocks
from demo.load import Load, pages
from demo.monitoring import Server, start_alertmanager, start_prometheus
from demo.places import COMMAND, Places, Ports
from demo.processes import NotReadyError, Process, wait_until
from demo.prometheus import Prometheus
from demo.releases import Release

_JOURNAL = "state.db"


class Stack:
    """The running demonstration; a context manager that stops all of it, however far it came.

    The deployment and its users go on; what watches them can be started afresh, so that nothing of one fault is
    left in a window of five minutes when the next one comes.
    """

    def __init__(self, places: Places, ports: Ports) -> None:
        self.places = places
        self.ports = ports
        self.deployment = Deployment(places, ports)
        self.load = Load(pages(ports))
        self.prometheus = Prometheus(f"http://127.0.0.1:{ports.prometheus}")
        self._learned = places.root / "learned" / _JOURNAL
        self._watching = ExitStack()
        self._exporter: Process | None = None
        self._prometheus: Server | None = None
        self._directory = places.root
        self._running = ExitStack()

    def start(self) -> Release:
        """Give the deployment its first, good release, and its users."""
        self._running.callback(self.deployment.stop)
        self.deployment.start()
        release = self.deployment.ship()
        self._await_release(release)
        self._running.enter_context(self.load)
        self._running.callback(self.stop_watching)
        return release

    def watch(self, directory: Path, autonomy: str, **more: Any) -> Agent:
        """Start exporter, Alertmanager, Prometheus and receiver afresh, with all they keep below `directory`.

        The receiver starts with the journal in which an earlier one had learned which release is good. `more` are keys
        of its configuration; with `drills` the deployment is a sandbox.
        """
        self._directory, ports = directory, self.ports
        file = settings.write(directory / settings.EXPORTER_FILE, settings.exporter(self.places, ports))
        self._exporter = Process((COMMAND, "exporter", "--config", file), directory / "exporter.log")
        self._watching.enter_context(self._exporter)
        config = settings.alertmanager(self.places, ports)
        self._watching.enter_context(start_alertmanager(directory / "alertmanager", config, ports.alertmanager))
        self._prometheus = self._start_prometheus(directory / "prometheus")
        self._exporter.await_ready(f"http://127.0.0.1:{ports.exporter}/-/healthy")
        return self._start_receiver(directory, autonomy, more)

    def stop_watching(self) -> None:
        """Stop what watches the deployment, which goes on."""
        self._watching.close()

    def stop_exporter(self) -> None:
        """Stop measuring."""
        if self._exporter is not None:
            self._exporter.stop()

    def backfill(self, history: History) -> None:
        """Start Prometheus on a past that is made up; what it has measured so far is left out."""
        if self._prometheus is not None:
            self._prometheus.stop()
        directory = self._directory / "prometheus-backfilled"
        write_blocks(history, time.time(), directory / "prometheus-data")
        self._prometheus = self._start_prometheus(directory)

    def await_calm(self, agent: Agent, good: Release, calm_for: float = 0.0, timeout: float = 150.0) -> None:
        """Wait until the good release is known to be good, every signal is there for so long, and nothing fires."""
        measured = f"time() - min_over_time(timestamp(deployment:users_affected:ratio)[5m:1s]) >= {calm_for:g}"

        def calm() -> bool:
            return (
                agent.knows_good(good.id)
                and not self.prometheus.firing()
                and self.prometheus.value("count(service:availability:ratio == 1)") == 3
                and self.prometheus.value("count(service:http_request_errors:ratio_rate1m < 0.01)") == 3
                and self.prometheus.value(measured) is not None
            )

        if not wait_until(calm, timeout, every=0.5):
            raise NotReadyError(
                f"the good release did not settle within {timeout:g} s "
                f"(known good: {agent.knows_good(good.id)}, firing: {self.prometheus.firing()}); "
                f"see {self.places.root}"
            )
        self._keep_what_was_learned(agent)

    def restore(self, good: Release) -> None:
        """Put the good release live again, unless the agent has."""
        if self.deployment.releases.live() != good.id:
            self.deployment.put_live(good)
            self._await_release(good)

    def _await_release(self, release: Release) -> None:
        def answers() -> bool:
            return set(self.deployment.revisions().values()) == {release.commit}

        if not wait_until(answers, 240, every=0.25):
            raise NotReadyError(
                f"not all services answer from {release.id}: {self.deployment.revisions()}; see {self.places.logs}"
            )

    def _start_prometheus(self, directory: Path) -> Server:
        config = settings.prometheus(self.ports)
        flags = (f"--rules.alert.for-grace-period={GRACE}",)
        server = start_prometheus(directory, config, self.ports.prometheus, flags=flags)
        return self._watching.enter_context(server)

    def _start_receiver(self, directory: Path, autonomy: str, more: dict[str, Any]) -> Agent:
        root = directory / "rollback"
        if self._learned.exists():
            root.mkdir(parents=True)
            _copy(self._learned, root / _JOURNAL)
        config = settings.receiver(self.deployment, self.places, self.ports, root, autonomy) | more
        if "drills" in more:
            config["deployments"][settings.DEPLOYMENT]["sandbox"] = True
        file = settings.write(directory / "receiver.yml", config)
        url = f"http://127.0.0.1:{self.ports.receiver}"
        receiver = Process((COMMAND, "serve", "--config", file), directory / "receiver.out")
        self._watching.enter_context(receiver)
        receiver.await_ready(f"{url}/-/ready")
        return Agent(url, settings.token_file(self.places, "demo").read_text().strip(), COMMAND, file)

    def _keep_what_was_learned(self, agent: Agent) -> None:
        if not self._learned.exists():
            self._learned.parent.mkdir(parents=True)
            _copy(agent.config.parent / "rollback" / _JOURNAL, self._learned)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()


def _copy(source: Path, target: Path) -> None:
    """Copy an SQLite database that may be in use."""
    with closing(sqlite3.connect(source)) as open_source, closing(sqlite3.connect(target)) as open_target:
        open_source.backup(open_target)
