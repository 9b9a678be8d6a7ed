"""Compares accepting a notification durably with a handler that does nothing, on the same web server."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import latencies, rate, request_of
from bench.measure import Column, compare, heading, rows
from demo.monitoring import start_prometheus
from demo.places import COMMAND
from demo.processes import Process, free_port

CLIENTS = 8
EACH = 250
"""Notifications that each client posts in one measurement."""
ROUNDS = 9
"""Measurements of the rate; each is short, and what else the machine does is not."""
RATE, SECONDS = 100.0, 10.0
"""Notifications a second that wait for no answer, and for how long they come."""
REPETITIONS = 3
TOKEN = "a-token-that-only-the-bench-uses"
ALERT = ("ServiceDown", "service_down", "1")
FASTEST = (Column(f"accepted a second, {CLIENTS} clients", ",.0f"),)
LATENCY = (
    Column(f"ms, median at {RATE:.0f} a second", ".1f", more_is_better=False),
    Column(f"ms, 99 of 100 at {RATE:.0f} a second", ".1f", more_is_better=False),
)


def run() -> None:
    """Print a table; raises if anything is answered otherwise than 202."""
    print(heading("notification of 3 alerts", "bare Flask handler"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        our_port, their_port = free_port(), free_port()
        bare = Process([sys.executable, "-m", "bench.bare", str(their_port)], directory / "bare.output")
        (directory / "firing.rules.yml").write_text(json.dumps(_rules()))
        with start_prometheus(directory, {"rule_files": ["*.rules.yml"]}, free_port()) as prometheus, bare:
            config = _write_config(directory, our_port, prometheus.url)
            with Process([COMMAND, "serve", "--config", config], directory / "serve.output") as ours:
                for process, port in ((ours, our_port), (bare, their_port)):
                    process.await_ready(f"http://127.0.0.1:{port}/-/ready")
                _compare(our_port, their_port)


def _compare(our_port: int, their_port: int) -> None:
    request = request_of(json.dumps(notification()).encode(), TOKEN)
    fastest = partial(_rate, request=request)
    print(rows("durable", FASTEST, *compare(partial(fastest, our_port), partial(fastest, their_port), ROUNDS)))
    answered = partial(_latencies, request=request)
    print(rows("durable", LATENCY, *compare(partial(answered, our_port), partial(answered, their_port), REPETITIONS)))


def _rate(port: int, request: bytes) -> tuple[float]:
    return (rate(port, request, CLIENTS, EACH),)


def _latencies(port: int, request: bytes) -> tuple[float, float]:
    taken = latencies(port, request, RATE, SECONDS)
    return taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000


def _write_config(directory: Path, port: int, prometheus: str) -> Path:
    (directory / "srv").mkdir()
    token = directory / "webhook.token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    content = {
        "root": str(directory / "rollback"),
        "listen": f"127.0.0.1:{port}",
        "webhook": {"token_file": str(token)},
        "prometheus": {"url": prometheus},
        "alertmanager": {"url": f"http://127.0.0.1:{free_port()}"},
        "autonomy": "L1",
        "deployments": {"qrl": {"target": {"releases": {"path": str(directory / "srv"), "restart": ["/bin/true"]}}}},
    }
    path = directory / "agent.yml"
    path.write_text(json.dumps(content))
    return path


def _rules() -> dict[str, Any]:
    """Rules by which what is notified fires, as it does where Alertmanager tells of it."""
    labels = {key: value for key, value in _alert(*ALERT, "fastapi")["labels"].items() if key != "alertname"}
    rule = {"alert": ALERT[0], "expr": "vector(1)", "labels": labels}
    return {"groups": [{"name": "bench", "interval": "1s", "rules": [rule]}]}


def notification() -> dict[str, Any]:
    """What Alertmanager 0.25 posts of a group of three alerts under the shipped rules."""
    alerts = [_alert(*ALERT, service) for service in ("fastapi", "flask", "gradio")]
    return {
        "receiver": "rollback-agent",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {"deployment": "qrl"},
        "commonLabels": {key: value for key, value in alerts[0]["labels"].items() if key != "service"},
        "commonAnnotations": {"runbook_url": alerts[0]["annotations"]["runbook_url"]},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}/{action=~"rollback|ask"}:{deployment="qrl"}',
        "truncatedAlerts": 0,
    }


def _alert(name: str, branch: str, rank: str, service: str) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {
            "alertname": name,
            "action": "rollback",
            "branch": branch,
            "confidence": "0.99",
            "deployment": "qrl",
            "level": "fast",
            "rank": rank,
            "service": service,
            "severity": "critical",
        },
        "annotations": {
            "summary": f"{service} of qrl is down",
            "description": f"No availability check of {service} has succeeded for 30 s.",
            "runbook_url": "https://github.com/example/rollback-agent/blob/main/alert-rules/runbooks/ServiceDown.md",
            "dashboard_url": "http://grafana:3000/d/rollback-agent?var-deployment=qrl",
        },
        "startsAt": "2026-11-23T15:04:05.678Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=deployment%3Aavailability%3Aratio+%3C+0.5&g0.tab=1",
        "fingerprint": f"{int.from_bytes(service.encode()) % 2**64:016x}",
    }
