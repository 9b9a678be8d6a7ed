"""Starts a real Prometheus and a real Alertmanager on loopback and waits until they are ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from demo.processes import Process

Config = str | Mapping[str, Any]
"""The text of a configuration file, or what it holds."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and where it listens; a context manager that stops it."""

    process: Process
    url: str

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_prometheus(
    directory: Path, config: Config, port: int, *, binary: str = "prometheus", flags: Sequence[str] = ()
) -> Server:
    """A Prometheus that keeps all it has in `directory`, its data in `prometheus-data`; or raises NotReadyError."""
    path = _write(directory / "prometheus.yml", config)
    return _start(
        directory / "prometheus.log",
        port,
        binary,
        f"--config.file={path}",
        f"--storage.tsdb.path={directory / 'prometheus-data'}",
        *flags,
    )


def start_alertmanager(
    directory: Path, config: Config, port: int, *, binary: str = "prometheus-alertmanager"
) -> Server:
    """An Alertmanager without cluster, all it has in `directory`; or raises NotReadyError."""
    path = _write(directory / "alertmanager.yml", config)
    return _start(
        directory / "alertmanager.log",
        port,
        binary,
        f"--config.file={path}",
        f"--storage.path={directory / 'alertmanager-data'}",
        "--cluster.listen-address=",
    )


def _write(path: Path, config: Config) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(dict(config), sort_keys=False))
    return path


def _start(log: Path, port: int, *argv: str) -> Server:
    url = f"http://127.0.0.1:{port}"
    process = Process((*argv, f"--web.listen-address=127.0.0.1:{port}"), log)
    return Server(process.await_ready(f"{url}/-/ready"), url)
