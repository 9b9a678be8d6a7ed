"""The exporter as a process of its own, asked over HTTP."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import requests

from demo.processes import Process, wait_until

ROOT = Path(__file__).parents[2]


class RunningExporter:
    """The exporter as its users run it: a process of its own, asked over HTTP."""

    def __init__(self, directory: Path, config: str) -> None:
        self.config = directory / "exporter.yaml"
        self.log = directory / "exporter.log"
        self.config.write_text(config)
        self.process = Process(exporter_command("--config", self.config), self.log, cwd=ROOT)
        self.process.await_ready(self._listens)

    def _listens(self) -> bool:
        found = re.search(r"event=listening address=(\S+)", self.log.read_text())
        self.address = found[1] if found else ""
        return found is not None

    def scrape(self, **headers: str) -> dict[str, float]:
        """The samples of one scrape by their series, written as the exporter writes them."""
        response = self.get("/metrics", **headers)
        assert response.status_code == 200, response.text
        samples = (line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in samples}

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"http://{self.address}{path}", headers=headers, timeout=20)

    def post(self, path: str) -> requests.Response:
        return requests.post(f"http://{self.address}{path}", timeout=20)

    def wait_for_log(self, text: str) -> None:
        assert wait_until(lambda: text in self.log.read_text(), timeout=60), self.log.read_text()


def exporter_command(*arguments: str | Path) -> list[str]:
    """The command line of the exporter, through its own command object."""
    program = "from exporters.app import exporter; exporter(prog_name='rollback-agent exporter')"
    return [sys.executable, "-c", program, *map(str, arguments)]
