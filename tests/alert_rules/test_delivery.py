"""A real Prometheus and a real Alertmanager, with the shipped files, bring the right alerts to the webhook."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from demo.monitoring import Server, start_alertmanager, start_prometheus
from demo.processes import free_port, wait_until
from tests.prometheus_versions import Version

TOKEN = "a token of this test"


@dataclass
class Rim:
    """What is around the two servers: it takes their notifications, and serves metrics to be scraped."""

    metrics: Callable[[], str] = str
    received: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def bodies(self) -> list[list[dict[str, Any]]]:
        """The alerts of each notification."""
        return [notification["body"]["alerts"] for notification in self.received]

    def alerts(self, path: str) -> set[tuple[str, str]]:
        """Name and deployment of every firing alert that was posted to `path`."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("deployment", ""))
            for notification in self.received
            if notification["path"] == path
            for alert in notification["body"]["alerts"]
            if alert["status"] == "firing"
        }


@pytest.fixture
def rim() -> Iterator[Rim]:
    """A server on a free port that remembers each POST and answers each GET with metrics."""
    rim = Rim()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rim.received.append({"path": self.path, "token": self.headers["Authorization"], "body": body})
            self.send_response(202)
            self.end_headers()

        def do_GET(self) -> None:
            page = rim.metrics().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by its parent
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        rim.address = f"127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield rim
        server.shutdown()
        serving.join()


@pytest.fixture
def alertmanager(version: Version, tmp_path: Path, shipped: Path, rim: Rim) -> Iterator[Server]:
    """The shipped Alertmanager, of each version; only addresses, the token's path and the interval are this test's."""
    (tmp_path / "webhook.token").write_text(TOKEN)
    config = yaml.safe_load((shipped / "alertmanager.yml").read_text())
    human, agent = config["receivers"]
    human["webhook_configs"] = [{"url": f"http://{rim.address}/human"}]
    del human["email_configs"]
    agent["webhook_configs"][0]["url"] = f"http://{rim.address}/api/v1/alerts"
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    binary = version.program("prometheus-alertmanager")
    with start_alertmanager(tmp_path, config, free_port(), binary=binary) as server:
        yield server


def test_alertmanager_delivers_by_precedence(alertmanager: Server, rim: Rim) -> None:
    """The agent gets the highest branch of each deployment and what is missing; people get all the rest."""
    _raise(alertmanager, _branch("ServiceDown", "qrl", "1"))
    assert wait_until(lambda: ("ServiceDown", "qrl") in rim.alerts("/api/v1/alerts"), 60)
    _raise(
        alertmanager,
        _branch("HighErrorRate", "qrl", "2"),
        _branch("HighErrorRate", "other", "2"),
        _branch("SignalsMissing", "qrl", "14"),
        _branch("RollbackNeedsHuman", "qrl", "1"),
        {"alertname": "DiskFull", "deployment": "qrl"},
    )
    expected = {("ServiceDown", "qrl"), ("HighErrorRate", "other"), ("SignalsMissing", "qrl")}
    to_people = {("RollbackNeedsHuman", "qrl"), ("DiskFull", "qrl")}
    assert wait_until(lambda: rim.alerts("/api/v1/alerts") >= expected and rim.alerts("/human") >= to_people, 60)
    time.sleep(2)  # two more intervals, in which an alert that is not inhibited would have come
    assert rim.alerts("/api/v1/alerts") == expected
    assert rim.alerts("/human") == to_people
    tokens = {one["token"] for one in rim.received if one["path"] == "/api/v1/alerts"}
    assert tokens == {f"Bearer {TOKEN}"}


def test_a_branch_mutes_those_below_it(alertmanager: Server, branches: list[dict[str, Any]]) -> None:
    """Of two branches on one deployment the lower rank mutes the other, unless that tells of missing signals."""
    pairs = list(combinations(branches, 2))
    alerts = [
        {"alertname": rule["alert"], "deployment": f"{number}", **rule["labels"]}
        for number, rules in enumerate([*pairs, *((rule,) for rule in branches)])
        for rule in rules
    ]
    expected = {
        (f"{number}", second["labels"]["branch"], second["labels"]["action"])
        for number, (first, second) in enumerate(pairs)
        if first["labels"]["rank"] != second["labels"]["rank"] and second["labels"]["rank"] != "14"
    }

    def muted() -> set[tuple[str, str, str]]:
        seen = requests.get(f"{alertmanager.url}/api/v2/alerts", timeout=30).json()
        assert len(seen) == len(alerts)
        labels = [alert["labels"] for alert in seen if alert["status"]["inhibitedBy"]]
        return {(own["deployment"], own["branch"], own["action"]) for own in labels}

    _raise(alertmanager, *alerts)
    wait_until(lambda: muted() == expected, 60)  # it looks at what it was sent in its own time
    assert muted() == expected


OPEN = {"alertname": "RollbackEscalationOpen", "deployment": "qrl", "reason": "rollback_failed"}
PENDING = {"alertname": "RollbackApprovalPending", "deployment": "qrl"}


def _called(reason: str, deployment: str = "qrl") -> dict[str, str]:
    """The labels of an escalation, as the agent raises it."""
    return {"alertname": "RollbackNeedsHuman", "deployment": deployment, "reason": reason, "escalation": "0a1b2c3d"}


@pytest.mark.parametrize(
    ("called", "rule", "is_muted"),
    [
        (_called("rollback_failed"), OPEN, True),
        (_called("limit_reached"), OPEN, False),
        (_called("rollback_failed", "other"), OPEN, False),
        (_called("low_confidence"), PENDING, True),
        (_called("database_or_full"), PENDING, True),
        (_called("database_or_full", "other"), PENDING, False),
        # Yesterday's question, still open, is not this plan.
        (_called("rollback_failed"), PENDING, False),
    ],
    ids=lambda value: "-".join(list(value.values())[:3]) if isinstance(value, dict) else "",
)
def test_people_are_called_once(
    alertmanager: Server, rim: Rim, called: dict[str, str], rule: dict[str, str], is_muted: bool
) -> None:
    """The agent's own call mutes the rule that is its second way, and no other question's."""
    _raise(alertmanager, called)
    name = (called["alertname"], called["deployment"])
    assert wait_until(lambda: name in rim.alerts("/human"), 60)
    _raise(alertmanager, rule)
    second = (rule["alertname"], rule["deployment"])
    if is_muted:
        time.sleep(3)  # more than two intervals
        assert rim.alerts("/human") == {name}
    else:
        assert wait_until(lambda: second in rim.alerts("/human"), 60)


def test_the_second_way_calls_where_the_first_has_ended(alertmanager: Server, rim: Rim) -> None:
    """A call that is not kept alive mutes nothing any more."""
    _raise(alertmanager, _called("rollback_failed"))
    assert wait_until(lambda: ("RollbackNeedsHuman", "qrl") in rim.alerts("/human"), 60)
    _raise(alertmanager, OPEN)
    time.sleep(2)
    assert ("RollbackEscalationOpen", "qrl") not in rim.alerts("/human")
    ended = {"labels": _called("rollback_failed"), "endsAt": datetime.now(UTC).isoformat()}
    requests.post(f"{alertmanager.url}/api/v2/alerts", json=[ended], timeout=30).raise_for_status()
    assert wait_until(lambda: ("RollbackEscalationOpen", "qrl") in rim.alerts("/human"), 60)


def test_errors_of_a_service_reach_the_webhook(
    version: Version, tmp_path: Path, shipped: Path, alertmanager: Server, rim: Rim
) -> None:
    """From counters on a page that is scraped to a notification with every label that the agent reads."""
    began = time.monotonic()

    def counters() -> str:
        requests_so_far = int(100 * (time.monotonic() - began))
        labels = 'deployment="qrl",service="flask",method="GET"'
        return (
            "# TYPE access_log_requests_total counter\n"
            f'access_log_requests_total{{{labels},code="200"}} {requests_so_far}\n'
            f'access_log_requests_total{{{labels},code="500"}} {requests_so_far // 2}\n'
        )

    rim.metrics = counters
    config = yaml.safe_load((shipped / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(shipped / pattern) for pattern in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [rim.address]
    del config["scrape_configs"][1:]
    targets = [alertmanager.url.removeprefix("http://")]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = targets

    with start_prometheus(tmp_path, config, free_port(), binary=version.program("prometheus")) as prometheus:
        assert wait_until(lambda: ("HighErrorRate", "qrl") in rim.alerts("/api/v1/alerts"), 30)
        groups = requests.get(f"{prometheus.url}/api/v1/rules", timeout=30).json()["data"]["groups"]
    assert {rule["name"]: rule["lastError"] for group in groups for rule in group["rules"] if "lastError" in rule} == {}
    (alert,) = next(alerts for alerts in rim.bodies() if alerts[0]["labels"]["alertname"] != "Watchdog")
    assert alert["labels"] == {
        "alertname": "HighErrorRate",
        "deployment": "qrl",
        "service": "flask",
        "branch": "high_error_rate",
        "rank": "2",
        "action": "rollback",
        "level": "fast",
        "confidence": "0.95",
        "severity": "critical",
    }


def _branch(name: str, deployment: str, rank: str) -> dict[str, str]:
    return {"alertname": name, "deployment": deployment, "branch": name.lower(), "rank": rank}


def _raise(alertmanager: Server, *alerts: dict[str, str]) -> None:
    """Post alerts with these labels, as Prometheus would."""
    posted = [{"labels": labels} for labels in alerts]
    answer = requests.post(f"{alertmanager.url}/api/v2/alerts", json=posted, timeout=30)
    answer.raise_for_status()
