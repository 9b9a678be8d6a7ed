"""Starts services, exporter, monitoring and receiver, in this order, and stops them in the other."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from demo import settings
from demo.agent import Agent
from demo.deployment import Deployment
from demo.load import Load, pages
from demo.monitoring import start_alertmanager, start_prometheus
from demo.places import Places, Ports
from demo.processes import NotReadyError, Process, wait_until
from demo.prometheus import Prometheus
from demo.releases import Release

COMMAND = Path(sys.executable).parent / "rollback-agent"


class Stack:
    """The running demonstration; a context manager that stops all of it, however far it came."""

    def __init__(self, places: Places, ports: Ports) -> None:
        self.places = places
        self.ports = ports
        self.deployment = Deployment(places, ports)
        self.load = Load(pages(ports))
        self.prometheus = Prometheus(f"http://127.0.0.1:{ports.prometheus}")
        self._receiver: Process | None = None
        self._running = ExitStack()

    def start(self) -> Release:
        """Start everything but the receiver, and give the deployment its first, good release."""
        self._running.callback(self.deployment.stop)
        self.deployment.start()
        release = self.deployment.ship()
        configuration, logs, ports = self.places.configuration, self.places.logs, self.ports
        file = settings.write(configuration / "exporter.yml", settings.exporter(self.places, ports))
        exporter = Process((COMMAND, "exporter", "--config", file), logs / "exporter.log")
        self._running.enter_context(exporter)
        self._running.enter_context(
            start_alertmanager(
                self.places.root / "alertmanager",
                settings.alertmanager(self.places, ports),
                ports.alertmanager,
            )
        )
        self._running.enter_context(
            start_prometheus(self.places.root / "prometheus", settings.prometheus(ports), ports.prometheus)
        )
        exporter.await_ready(f"http://127.0.0.1:{ports.exporter}/-/healthy")
        if not wait_until(lambda: all(self.deployment.services_up().values()), 90, every=0.25):
            raise NotReadyError(f"not all services answer: {self.deployment.services_up()}; see {logs}")
        self._running.enter_context(self.load)
        return release

    def start_receiver(self, root: Path, autonomy: str) -> Agent:
        """Start a receiver that knows nothing yet, with its run-time files below `root`."""
        config = settings.receiver(self.deployment, self.places, self.ports, root, autonomy)
        file = settings.write(root.parent / "receiver.yml", config)
        url = f"http://127.0.0.1:{self.ports.receiver}"
        self._receiver = Process((COMMAND, "serve", "--config", file), root.parent / "receiver.out")
        self._running.enter_context(self._receiver)
        self._receiver.await_ready(f"{url}/-/ready")
        return Agent(url, settings.token_file(self.places).read_text().strip(), COMMAND, file)

    def stop_receiver(self) -> None:
        """Stop the receiver and leave the rest running."""
        if self._receiver is not None:
            self._receiver.stop()

    def await_calm(self, agent: Agent, good: Release, timeout: float = 150.0) -> None:
        """Wait until the good release is known to be good, every signal is there, and nothing fires."""

        def calm() -> bool:
            return (
                agent.knows_good(good.id)
                and not self.prometheus.firing()
                and self.prometheus.value("count(service:availability:ratio == 1)") == 3
                and self.prometheus.value("count(service:http_request_errors:ratio_rate1m < 0.01)") == 3
            )

        if not wait_until(calm, timeout, every=0.5):
            raise NotReadyError(
                f"the good release did not settle within {timeout:g} s "
                f"(known good: {agent.knows_good(good.id)}, firing: {self.prometheus.firing()}); "
                f"see {self.places.root}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
