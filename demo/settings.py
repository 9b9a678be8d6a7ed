"""Writes the configuration of all around the sample deployment; rules and routes are the shipped ones."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from demo.deployment import Deployment
from demo.places import COMMAND, REPOSITORY, Places, Ports

ALERT_RULES = REPOSITORY / "alert-rules"
DEPLOYMENT = "qrl"
EXPORTER_FILE = "exporter.yml"
"""Beside the receiver's root, whose diagnosis runs the same checks."""


def exporter(places: Places, ports: Ports) -> dict[str, Any]:
    """Health checks of every kind, and the access logs, of the three services."""

    def http(name: str, kind: str, port: int, path: str, **more: object) -> dict[str, Any]:
        return {
            "name": name,
            "kind": kind,
            "http": {"url": f"http://127.0.0.1:{port}{path}", "timeout": "3s", **more},
        }

    def log(service: str, log_format: str, **more: object) -> list[dict[str, Any]]:
        return [{"path": str(places.access_log(service)), "format": log_format, **more}]

    fastapi = [
        http("home", "availability", ports.fastapi, "/"),
        http("login", "authentication", ports.fastapi, "/self-test/login", method="POST"),
        http("rows", "database", ports.fastapi, "/self-test/database"),
    ]
    flask = [
        http("health", "availability", ports.flask, "/health"),
        http("authorise-and-void", "payment", ports.flask, "/self-test/payment", method="POST"),
    ]
    gradio = [
        http("health", "availability", ports.gradio, "/health"),
        http("page", "ui", ports.gradio, "/", body_pattern="(?i)gradio"),
    ]
    services = {
        "fastapi": {"checks": fastapi, "access_logs": log("fastapi", "uvicorn")},
        "flask": {"checks": flask, "access_logs": log("flask", "gunicorn", user_field="user")},
        "gradio": {"checks": gradio, "access_logs": log("gradio", "uvicorn")},
    }
    return {"listen": f"127.0.0.1:{ports.exporter}", "deployments": {DEPLOYMENT: {"services": services}}}


def receiver(deployment: Deployment, places: Places, ports: Ports, root: Path, autonomy: str) -> dict[str, Any]:
    """The receiver, for run-time files below `root`; it takes a release for good sooner than usual."""
    target = {
        "path": str(places.deployment),
        "restart": list(deployment.restart_command),
        "timeout": "2m",
    }
    return {
        "root": str(root),
        "listen": f"127.0.0.1:{ports.receiver}",
        "webhook": {"token_file": str(token_file(places))},
        "web": {
            "external_url": f"http://127.0.0.1:{ports.receiver}",
            "tokens": {"demo": {"file": str(token_file(places, "demo")), "role": "viewer"}},
        },
        "prometheus": {"url": f"http://127.0.0.1:{ports.prometheus}"},
        "alertmanager": {"url": f"http://127.0.0.1:{ports.alertmanager}"},
        "autonomy": autonomy,
        "deployments": {
            DEPLOYMENT: {
                "good_after": "40s",
                "observe_every": "2s",
                "target": {"releases": target},
                "diagnosis": {
                    "health": [str(COMMAND), "health", "--json", "--config", str(root.parent / EXPORTER_FILE)],
                    "access_logs": [str(places.access_log(service)) for service in ("fastapi", "flask", "gradio")],
                },
                "backup": {"sqlite": [str(places.database)], "paths": [str(places.self_test_user.parent)]},
            }
        },
    }


def prometheus(ports: Ports) -> dict[str, Any]:
    """The shipped alert-rules/prometheus.yml with other addresses, paths and intervals, and nothing else."""
    config = _read(ALERT_RULES / "prometheus.yml")
    config["global"] |= {"scrape_interval": "5s", "evaluation_interval": "5s"}
    config["rule_files"] = [str(ALERT_RULES / pattern) for pattern in config["rule_files"]]
    config["alerting"]["alertmanagers"] = [_targets(ports.alertmanager)]
    listening = {
        "rollback-exporter": ports.exporter,
        "rollback-agent": ports.receiver,
        "alertmanager": ports.alertmanager,
    }
    for job in config["scrape_configs"]:
        job.update(_targets(listening[job["job_name"]]))
    return config


def alertmanager(places: Places, ports: Ports) -> dict[str, Any]:
    """The shipped alert-rules/alertmanager.yml with other addresses and paths, and nothing else."""
    config = _read(ALERT_RULES / "alertmanager.yml")
    for to in config["receivers"]:
        for mail in to.get("email_configs", []):
            # Nobody listens there: a demonstration must not use the mail server of the machine.
            mail["smarthost"] = "127.0.0.1:1"
        for webhook in to.get("webhook_configs", []):
            webhook["url"] = f"http://127.0.0.1:{ports.receiver}/api/v1/alerts"
            webhook["http_config"]["authorization"]["credentials_file"] = str(token_file(places))
    return config


def token_file(places: Places, whose: str = "webhook") -> Path:
    """The file with a token, which only its owner can read; made when it is not there."""
    file = places.configuration / f"{whose}.token"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32) + "\n")
    return file


def write(path: Path, config: Mapping[str, Any]) -> Path:
    """Write a configuration as YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    return path


def _read(path: Path) -> dict[str, Any]:
    config = yaml.safe_load(path.read_text())
    if not isinstance(config, dict):
        raise TypeError(f"{path} holds no mapping")
    return config


def _targets(port: int) -> dict[str, Any]:
    return {"static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
