"""A real Prometheus that evaluates given rules, and the configuration of an agent that asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.monitoring import Server, start_prometheus
from demo.processes import free_port, wait_until
from receiver.prometheus_api import PrometheusApi
from receiver.rules.api import RulesApi

AGENT = Path(sys.executable).parent / "rollback-agent"


class Ruled:
    """A directory with a Prometheus' rules and an agent's configuration."""

    def __init__(self, directory: Path, *deployments: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = directory / "agent.json"
        self.api = RulesApi(PrometheusApi(self.url, 5.0))
        token = directory / "webhook.token"
        token.write_text("a-token-that-only-tests-use")
        token.chmod(0o600)
        target = {"target": {"releases": {"path": str(directory), "restart": ["/bin/true"]}}}
        content = {
            "root": str(directory / "rollback"),
            "webhook": {"token_file": str(token)},
            "prometheus": {"url": self.url},
            "alertmanager": {"url": "http://127.0.0.1:1"},
            "deployments": dict.fromkeys(deployments or ("qrl",), target),
        }
        self.config.write_text(json.dumps(content))

    def start(self, *rule_files: Path | str) -> Server:
        """Start Prometheus with these rule files, and wait until it has evaluated all but the slow groups."""
        config = {
            "global": {"evaluation_interval": "500ms"},
            "rule_files": [str(file) for file in rule_files],
            "scrape_configs": [],
        }
        server = start_prometheus(self.directory / "prometheus", config, self.port)

        def evaluated() -> bool:
            return all(group.last_evaluation > 0 for group in self.api.groups() if (group.interval or 0) < 10)

        assert wait_until(evaluated, 60, every=0.1)
        return server

    def run(self, *arguments: str, code: int = 0) -> str:
        """What `rollback-agent ARGUMENTS` prints; its exit code must be `code`."""
        argv = (AGENT, *arguments, "--config", self.config)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def write_rules(path: Path, *groups: Mapping[str, Any]) -> Path:
    """A rule file with these groups."""
    path.write_text(json.dumps({"groups": groups}))
    return path


def signals(values: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """A group that records, under each name, values as PromQL for labels such as `deployment=qrl,service=flask`."""
    rules = []
    for name, series in values.items():
        for labels, value in series:
            pairs = dict(one.split("=") for one in labels.split(","))
            rules.append({"record": name, "expr": f"vector({value})", "labels": pairs})
    return {"name": "test-signals", "rules": rules}
