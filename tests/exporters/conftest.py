"""Fixtures of the exporters' tests: a web server, the exporter running, the exporter's command."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.exporters.running import ROOT, RunningExporter, exporter_command
from tests.exporters.servers import WebServer


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def run_exporter(tmp_path: Path) -> Iterator[Callable[[str], RunningExporter]]:
    with ExitStack() as stack:

        def start(config: str) -> RunningExporter:
            running = RunningExporter(tmp_path, config)
            stack.enter_context(running.process)
            return running

        yield start


@pytest.fixture
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the exporter's command to its end."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"]}
        return subprocess.run(
            exporter_command(*arguments),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            timeout=30,
            check=False,
        )

    return run
