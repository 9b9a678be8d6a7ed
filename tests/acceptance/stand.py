"""A small deployment with a real Prometheus and a real agent around it, for tests that read as a timeline."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import yaml

from demo.monitoring import Server, start_alertmanager, start_prometheus
from demo.processes import Process, free_port, wait_until
from tests.acceptance.services import BAD, FAST_TREE, GOOD, Services, alert
from tests.prometheus_versions import SYSTEM

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-that-only-tests-use"
OPERATOR = "a-token-of-one-who-decides"
AGENT = Path(sys.executable).parent / "rollback-agent"


class Stand:
    """One deployment `qrl` in the `releases` layout, a Prometheus, and an agent that can be stopped and started."""

    def __init__(self, directory: Path, stack: ExitStack, **settings: Any) -> None:
        self.directory = directory
        self.stack = stack
        self.root = directory / "rollback"
        self.app = directory / "srv"
        self.calls = directory / "restarts"
        self.rules: list[Path] = []
        self.ports = {name: free_port() for name in ("agent", "prometheus", "alertmanager")}
        self.url = f"http://127.0.0.1:{self.ports['agent']}"
        self._make_releases()
        self.services = Services(self.app / "current")
        stack.callback(self.services.close)
        self.config = directory / "agent.yml"
        self.write_config(**settings)
        self.prometheus: Server | None = None
        self.alertmanager: Server | None = None
        self.agent: Process | None = None
        self.version = SYSTEM
        """Of Prometheus and Alertmanager."""

    def _make_releases(self) -> None:
        for number, release in enumerate((GOOD, BAD)):
            (self.app / "releases" / release).mkdir(parents=True)
            (self.app / "releases" / release / "REVISION").write_text(f"{number}" * 40 + "\n")
        (self.app / "shared").mkdir()
        with sqlite3.connect(self.app / "shared" / "qrl.db") as database:
            database.execute("create table account (name text)")
            database.executemany("insert into account values (?)", [(f"user {n}",) for n in range(100)])
        database.close()
        self.restart = self.directory / "restart.sh"
        self.restart.write_text(f"#!/bin/sh\necho restarted\ndate +%s.%N >> {self.calls}\n")
        self.restart.chmod(0o755)
        self.ship(GOOD)
        self.token = self.write_token("webhook", TOKEN)
        self.operator_token = self.write_token("operator", OPERATOR)

    def write_token(self, whose: str, token: str) -> Path:
        """A file with the token, which nobody else can read."""
        file = self.directory / f"{whose}.token"
        file.write_text(token)
        file.chmod(0o600)
        return file

    def write_config(self, *, autonomy: str = "L4", good_after: str = "1s", **more: Any) -> None:
        """The agent's configuration; `more` replaces top-level keys, `deployment` keys of the deployment."""
        deployment = {
            "good_after": good_after,
            "observe_every": "300ms",
            "target": {"releases": {"path": str(self.app), "restart": [str(self.restart)], "timeout": "20s"}},
            "backup": {"sqlite": [str(self.app / "shared" / "qrl.db")]},
            "verify": {"timeout": "20s"},
        } | more.pop("deployment", {})
        operator = {"file": str(self.operator_token), "role": "operator"}
        content = {
            "root": str(self.root),
            "listen": f"127.0.0.1:{self.ports['agent']}",
            "webhook": {"token_file": str(self.token)},
            "web": {"tokens": {"operator": operator}} | more.pop("web", {}),
            "prometheus": {"url": f"http://127.0.0.1:{self.ports['prometheus']}", "max_age": "10s"},
            "alertmanager": {"url": f"http://127.0.0.1:{self.ports['alertmanager']}"},
            "autonomy": autonomy,
            "reconcile_every": "1h",
            "deployments": {"qrl": deployment},
        } | more
        self.config.write_text(yaml.safe_dump(content))

    # What happens to the deployment.

    def ship(self, release: str) -> None:
        """Make `release` live, as a deploy would."""
        new = self.app / "new"
        new.symlink_to(f"releases/{release}")
        new.rename(self.app / "current")

    def live(self) -> str:
        """The id of the live release."""
        return (self.app / "current").readlink().name

    def restarts(self) -> int:
        """How often the rollback's restart command has run."""
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0

    def go_wrong(self) -> None:
        """The usual beginning: all is well, the bad release is shipped, a branch fires, and Alertmanager says so."""
        self.start()
        self.ship(BAD)
        self.await_firing()
        self.notify()

    # Who watches it.

    def start(self) -> None:
        """Start Prometheus and the agent, and wait until the live release is known good."""
        self.start_prometheus()
        self.start_agent()
        self.await_good()

    def start_prometheus(self, tree: dict[str, Any] | Path = FAST_TREE, alertmanager: bool = False) -> None:
        """A real Prometheus with the shipped signals and `tree`."""
        signals = yaml.safe_load((REPOSITORY / "alert-rules" / "signals.rules.yml").read_text())
        for group in signals["groups"]:
            group["interval"] = "500ms"
        (self.directory / "signals.rules.yml").write_text(yaml.safe_dump(signals))
        if isinstance(tree, dict):
            (self.directory / "tree.rules.yml").write_text(yaml.safe_dump(tree))
            tree = self.directory / "tree.rules.yml"
        config: dict[str, Any] = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(self.directory / "signals.rules.yml"), str(tree)],
            "scrape_configs": [
                {"job_name": "services", "static_configs": [{"targets": [f"127.0.0.1:{self.services.port}"]}]}
            ],
        }
        if alertmanager:
            targets = [f"127.0.0.1:{port}" for name, port in self.ports.items() if name.startswith("alertmanager")]
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": targets}]}]}
        binary = self.version.program("prometheus")
        self.prometheus = start_prometheus(
            self.directory / "prometheus", config, self.ports["prometheus"], binary=binary
        )
        self.stack.callback(self.prometheus.stop)

    def start_alertmanager(self, pager: str | None = None, name: str = "alertmanager") -> None:
        """A real Alertmanager with the shipped configuration; only addresses and paths are ours.

        A further one is called `alertmanager` and something, and has its port in `ports`.

        With a `pager`, people are called there, and its groups wait for a second and no longer.
        """
        config = yaml.safe_load((REPOSITORY / "alert-rules" / "alertmanager.yml").read_text())
        for receiver in config["receivers"]:
            for hook in receiver.get("webhook_configs", []):
                hook["url"] = f"{self.url}/api/v1/alerts"
                hook["http_config"]["authorization"]["credentials_file"] = str(self.token)
        if pager is not None:
            config["receivers"][0] = {"name": "human", "webhook_configs": [{"url": pager}]}
            for route in (config["route"], *config["route"]["routes"]):
                route |= {"group_wait": "1s", "group_interval": "1s"}
        binary = self.version.program("prometheus-alertmanager")
        server = start_alertmanager(self.directory / name, config, self.ports[name], binary=binary)
        self.stack.callback(server.stop)
        if name == "alertmanager":
            self.alertmanager = server

    def start_agent(self, under: Sequence[str | Path] = (), patience: float = 60.0) -> Process:
        """A real `rollback-agent serve`, ready; with an Alertmanager, which is asked for silences.

        `under` is what starts it, such as faketime(1) with its arguments; it may take `patience` seconds.
        """
        if self.alertmanager is None:
            self.start_alertmanager()
        agent = Process((*under, AGENT, "serve", "--config", self.config), self.directory / "agent.log")
        self.stack.callback(agent.stop)
        self.agent = agent.await_ready(f"{self.url}/-/ready", timeout=patience)
        return self.agent

    def prometheus_says(self, promql: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        url = f"http://127.0.0.1:{self.ports['prometheus']}/api/v1/query"
        result: list[dict[str, Any]] = requests.get(url, params={"query": promql}, timeout=30).json()["data"]["result"]
        return result

    def await_firing(self, branch: str = "service_down") -> None:
        """Wait until Prometheus shows the branch firing."""
        self.eventually(lambda: bool(self.prometheus_says(f'ALERTS{{alertstate="firing",branch="{branch}"}}')), 30)

    def await_good(self, release: str = GOOD) -> None:
        """Wait until the agent knows that `release` is good."""
        line = f'rollback_release_good_info{{deployment="qrl",release="{release}"}} 1.0'
        self.eventually(lambda: line in self.metrics(), 30)

    # What is said to the agent, and what it says.

    def notify(self, *alerts: dict[str, Any], **more: Any) -> requests.Response:
        """Post a notification as Alertmanager would; without `alerts` it is a firing ServiceDown of qrl."""
        labels = {"alertname": "ServiceDown", "branch": "service_down", "deployment": "qrl"}
        body = {
            "version": "4",
            "status": "firing",
            "receiver": "rollback-agent",
            "alerts": list(alerts) or [alert(**labels)],
            "truncatedAlerts": 0,
        } | more
        return self.post(json.dumps(body).encode())

    def post(self, body: bytes, **headers: str) -> requests.Response:
        """Post any body to the webhook, with the right token unless `headers` say otherwise."""
        sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | headers
        return requests.post(f"{self.url}/api/v1/alerts", data=body, headers=sent, timeout=30, allow_redirects=False)

    def silence(self, name: str, value: str) -> str:
        """Silence what carries this label for an hour; the silence's id."""
        now = datetime.now(UTC)
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "ada",
            "comment": "a test",
        }
        url = f"http://127.0.0.1:{self.ports['alertmanager']}/api/v2/silences"
        return str(requests.post(url, json=body, timeout=30).json()["silenceID"])

    def metrics(self) -> str:
        """The agent's exposition."""
        return requests.get(f"{self.url}/metrics", timeout=30).text

    def incidents(self) -> list[dict[str, Any]]:
        """All incidents, newest first, as the HTTP interface gives them."""
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        found: list[dict[str, Any]] = requests.get(f"{self.url}/api/v1/incidents", headers=headers, timeout=30).json()[
            "incidents"
        ]
        return found

    def runs(self) -> list[dict[str, Any]]:
        """All runs, newest incident first."""
        return [run for incident in self.incidents() for run in incident["runs"]]

    def await_run(self, *, state: str = "finished", timeout: float = 60) -> dict[str, Any]:
        """The only run, once it is in `state`."""
        self.eventually(lambda: [run["state"] for run in self.runs()] == [state], timeout)
        return self.runs()[0]

    def command(self, *arguments: str, code: int = 0) -> str:
        """What `rollback-agent ARGUMENTS` prints; its exit code must be `code`."""
        done = subprocess.run(
            (AGENT, *arguments, "--config", self.config), capture_output=True, text=True, timeout=150, check=False
        )
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def audit(self) -> list[dict[str, Any]]:
        """All records of the audit trail."""
        path = self.root / "logs" / "audit-trail.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def eventually(self, condition: Callable[[], bool], timeout: float = 20) -> None:
        """Wait until `condition` holds; what the agent said stands in the failure."""

        def holds() -> bool:
            try:
                return condition()
            except (requests.ConnectionError, requests.Timeout):
                return False

        if not wait_until(holds, timeout, every=0.1):
            log = self.directory / "agent.log"
            said = log.read_text()[-3000:] if log.exists() else "nothing"
            raise AssertionError(f"not within {timeout} s; the agent said:\n{said}")

    def stays(self, condition: Callable[[], bool], seconds: float) -> None:
        """Check that `condition` holds for `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert condition()
            time.sleep(0.1)


@contextmanager
def stand(directory: Path, **settings: Any) -> Iterator[Stand]:
    """A stand whose processes have all ended when the block ends."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory / "prometheus", True)
        yield Stand(directory, stack, **settings)
