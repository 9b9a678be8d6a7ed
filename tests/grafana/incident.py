"""A real incident that several Prometheus watch: exporter, agent and Alertmanager are real, and so are the rules."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from demo.monitoring import start_prometheus
from demo.processes import free_port
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.settings import read_setting
from receiver.backtest.shadow import shadow_file
from receiver.rules.files import SHIPPED, TREE
from tests.acceptance.services import BAD, GOOD
from tests.acceptance.stand import REPOSITORY, Stand, stand
from tests.exporters.running import RunningExporter
from tests.grafana.seen import Watched, await_seen
from tests.grafana.trouble import make_trouble
from tests.prometheus_versions import SYSTEM, Version

KINDS = ("availability", "authentication", "payment", "database", "ui")
USERS = 20
"""Fewer than the rules take seriously, so that only the checks decide and verification need not wait for a window."""
SEEN = (
    'sum(rollback_runs_total{deployment="qrl"}) == 2 and sum(rollback_escalations_open) > 0'
    " and sum(service:http_request_duration_seconds:mean5m) > 0 and sum(rollback_review_answers) > 0"
    " and sum(sum_over_time(deployment:shadow_decision:bool[1h:10s])) > 0"
)
"""True when Prometheus has seen the end of the incident, and the traffic meanwhile."""


@contextmanager
def incident(directory: Path, versions: Sequence[Version]) -> Iterator[Watched]:
    """A bad release, a rollback that a person approves and reviews, the release again, refused, and trouble."""
    since = time.time()
    with stand(directory) as here:
        _configure(here)
        here.start_alertmanager()
        exporter = _start_exporter(here)
        ports = {version: here.ports["prometheus"] if version is SYSTEM else free_port() for version in versions}
        for version, port in ports.items():
            _start_prometheus(here, version, port, exporter.address)
        here.start_agent()
        here.await_good()
        urls = {version: f"http://127.0.0.1:{port}" for version, port in ports.items()}
        await_seen(here, urls, "access_log_requests_total and on (deployment) deployment:availability:ratio == 1")
        _write_traffic(here, 200)
        broken = datetime.now(UTC)
        here.ship(BAD)
        _write_traffic(here, 503)
        plan = here.await_run(state="waiting")["plan"]
        here.command("approve", here.incidents()[0]["id"], "--plan", plan["hash"][:8], "--as", "ada")
        here.await_run()
        _review(here, broken)
        here.ship(BAD)
        here.eventually(lambda: [run["state"] for run in here.runs()] == ["finished", "finished"], 60)
        await_seen(here, urls, SEEN)
        ended = time.time()
        make_trouble(here, urls, exporter)
        yield Watched(urls, since, ended, time.time())


def _review(here: Stand, broken: datetime) -> None:
    """A person says of the incident that it was rightly rolled back, and what was the cause."""
    told = (
        "--necessary",
        "yes",
        "--level",
        "yes",
        "--hotfix",
        "no",
        "--cause",
        "a typing error",
        "--pattern",
        "typing",
    )
    when = ("--began", _moment(broken), "--noticed", _moment(datetime.now(UTC)))
    here.command("review", "incident", here.incidents()[0]["id"], *told, *when, "--as", "ada")


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _configure(here: Stand) -> None:
    """An agent that asks first, has patience with a busy machine, and looks itself at what fires.

    A release that comes back at once is no news to Alertmanager: its alert has hardly ended.
    """
    prometheus = {"url": f"http://127.0.0.1:{here.ports['prometheus']}", "max_age": "60s"}
    earned = {"enabled": True, "precision": 0.1, "approved": 1}  # so that one review is enough to be seen
    deployment = {"verify": {"timeout": "60s"}, "sandbox": True, "earned_autonomy": earned}
    drills = {"bad_release": {"deployment": "qrl", "fault": ["/bin/true"]}}
    calls = {"url": f"http://127.0.0.1:{here.ports['alertmanager']}", "resend_every": "1s"}
    here.write_config(
        autonomy="L3",
        reconcile_every="1s",
        prometheus=prometheus,
        alertmanager=calls,
        deployment=deployment,
        drills=drills,
    )


def _start_exporter(here: Stand) -> RunningExporter:
    """Its checks look for a file that only the good release has."""
    (here.app / "releases" / GOOD / "works").touch()
    works = {"argv": ["/usr/bin/test", "-e", str(here.app / "current" / "works")]}
    service = {
        "checks": [{"name": kind, "kind": kind, "command": works} for kind in KINDS],
        "access_logs": [{"path": str(_access_log(here)), "format": "nginx_json", "user_field": "remote_user"}],
    }
    config = {"listen": "127.0.0.1:0", "deployments": {"qrl": {"services": {"flask": service}}}}
    exporter = RunningExporter(here.directory, json.dumps(config))
    here.stack.callback(exporter.process.stop)
    return exporter


def _access_log(here: Stand) -> Path:
    return here.directory / "access.log"


def _write_traffic(here: Stand, status: int) -> None:
    with _access_log(here).open("a") as log:
        for user in range(USERS // 2):
            line = {"status": status, "request_method": "GET", "request_time": 0.02, "remote_user": f"user {user}"}
            log.write(json.dumps(line) + "\n")


def _start_prometheus(here: Stand, version: Version, port: int, exporter: str) -> None:
    """A Prometheus with the shipped rules, quicker, which knows what the response time was an hour ago."""
    directory = here.directory / f"prometheus-{version}"
    targets = {
        "rollback-exporter": exporter,
        "rollback-agent": f"127.0.0.1:{here.ports['agent']}",
        "alertmanager": f"127.0.0.1:{here.ports['alertmanager']}",
        "prometheus": f"127.0.0.1:{port}",
    }
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(file) for file in _quick_rules(here.directory)],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()
        ],
    }
    if version is SYSTEM:
        config["alerting"] = {
            "alert_relabel_configs": [{"source_labels": ["shadow"], "regex": ".+", "action": "drop"}],
            "alertmanagers": [{"static_configs": [{"targets": [targets["alertmanager"]]}]}],
        }
    _remember(directory, version)
    server = start_prometheus(directory, config, port, binary=version.program("prometheus"))
    here.stack.callback(server.stop)


def _quick_rules(directory: Path) -> list[Path]:
    """The shipped rules, evaluated each second; ServiceDown hardly waits, so that it fires before all others.

    It fires on for a while, since a scrape that a busy machine misses would take the question to the person back.
    """
    written = []
    for file in sorted((REPOSITORY / "alert-rules").glob("*.rules.yml")):
        content = yaml.safe_load(file.read_text())
        for group in content["groups"]:
            group["interval"] = "1s"
            for rule in group["rules"]:
                if rule.get("alert") == "ServiceDown":
                    rule |= {"for": "2s", "keep_firing_for": "10s"}
        written.append(directory / file.name)
        written[-1].write_text(yaml.safe_dump(content))
    return [*written, _quick_shadow(directory)]


def _quick_shadow(directory: Path) -> Path:
    """A shadow of the shipped tree, as `rollback-agent shadow` prints it, evaluated each second."""
    setting = "service_down.for=3s"
    content = yaml.safe_load(shadow_file(read_rule_set(SHIPPED / TREE, [read_setting(setting)]), "quick", setting))
    for group in content["groups"]:
        group["interval"] = "1s"
    path = directory / "shadow-quick.rules.yml"
    path.write_text(yaml.safe_dump(content))
    return path


def _remember(directory: Path, version: Version) -> None:
    """Two hours of what is compared with earlier, up to nine minutes ago; of the response time up to half an hour."""
    now = int(time.time())
    lines = []
    for name, labels, value, until in (
        ("service:http_request_duration_seconds:mean5m", 'deployment="qrl",service="flask"', "0.02", 1800),
        ("service:http_requests:rate5m", 'deployment="qrl",service="flask"', "3", 540),
        ("deployment:users_affected:ratio", 'deployment="qrl"', "0", 540),
        ("rollback_audit_records_total", 'instance="gone",job="rollback-agent"', "7", 540),
    ):
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{name}{{{labels}}} {value} {at}" for at in range(now - 9000, now - until, 60)]
    history = directory / "history.om"
    directory.mkdir()
    history.write_text("\n".join((*lines, "# EOF", "")))
    done = version.run("promtool", "tsdb", "create-blocks-from", "openmetrics", history, directory / "prometheus-data")
    assert done.returncode == 0, done.stderr
