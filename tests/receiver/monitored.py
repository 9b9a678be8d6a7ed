"""A real Prometheus that scrapes what a test exposes, and whose alerts fire as the test says."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path

from demo.exposition import serve_metrics
from demo.monitoring import start_prometheus
from demo.processes import free_port, wait_until
from receiver.prometheus import Prometheus


class Monitored:
    """A real Prometheus; what it scrapes is what a test has exposed, its alerts fire as the test says."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._lines: dict[str, tuple[str, ...]] = {}
        exporter = serve_metrics(self._exposition)
        stack.callback(exporter.server_close)
        stack.callback(exporter.shutdown)
        rules = [
            {"alert": "Tested", "expr": "test_firing == 1"},
            {"alert": "Waits", "expr": "test_pending == 1", "for": "1h"},
        ]
        (directory / "rules.yml").write_text(
            json.dumps({"groups": [{"name": "test", "interval": "250ms", "rules": rules}]})
        )
        targets = [{"targets": [f"127.0.0.1:{exporter.server_address[1]}"]}]
        config = {
            "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
            "rule_files": [str(directory / "rules.yml")],
            "scrape_configs": [{"job_name": "test", "static_configs": targets}],
        }
        server = stack.enter_context(start_prometheus(directory, config, free_port()))
        self.url = server.url

    def _exposition(self) -> str:
        return "".join(f"{line}\n" for lines in self._lines.copy().values() for line in lines)

    def expose(self, deployment: str, *lines: str) -> None:
        """Expose these lines for a deployment, in place of those that were."""
        self._lines[deployment] = lines

    def client(self, timeout: float = 5.0, max_age: float = 10.0) -> Prometheus:
        """The client under test."""
        return Prometheus(self.url, timeout, max_age, time.time)

    def shows(self, promql: str) -> bool:
        """Whether a query has a result."""
        return bool(self.client()._query(promql))


def series(name: str, deployment: str, value: object, **labels: str) -> str:
    """One line of an exposition."""
    escape = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    pairs = ",".join(f'{key}="{text.translate(escape)}"' for key, text in {"deployment": deployment, **labels}.items())
    return f"{name}{{{pairs}}} {value}"


def await_signals(monitored: Monitored, deployment: str, *lines: str) -> None:
    """Expose the lines and wait until Prometheus has scraped and evaluated them."""
    monitored.expose(deployment, *lines, series("test_marker", deployment, 1))
    quoted = json.dumps(deployment)
    alerting = any(line.startswith(("test_firing", "test_pending")) for line in lines)
    wanted = f"ALERTS{{deployment={quoted}}}" if alerting else f"test_marker{{deployment={quoted}}}"
    assert wait_until(lambda: monitored.shows(wanted), 60, every=0.1)
