"""The compose file is valid and pinned, and its configurations are the shipped ones at other addresses."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from configfile import load
from exporters.config import Config as ExporterConfig
from receiver import __version__
from receiver.config import load_config
from receiver.web_config import load_web_config

REPOSITORY = Path(__file__).parents[2]
HERE = REPOSITORY / "docs" / "deploy" / "compose"
FILE = HERE / "compose.yaml"
SCHEMA = json.loads((REPOSITORY / "tests" / "schemas" / "compose.json").read_text())
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]


def faults(content: object) -> list[str]:
    """What the schema of the specification says against it."""
    return [error.message for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(content)]


def test_the_file_is_valid() -> None:
    """By the schema, which finds a misspelt key; and by docker compose itself where that is there."""
    content = yaml.safe_load(FILE.read_text())
    assert faults(content) == []
    content["services"]["receiver"]["cap_dorp"] = ["ALL"]
    assert "cap_dorp" in str(faults(content))
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        subprocess.run([docker, "compose", "--file", FILE, "config", "--quiet"], timeout=60, check=True)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_and_harmless(name: str) -> None:
    """By its whole version, without capabilities, reached from this machine alone."""
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    if "build" in service:
        assert (service["image"], service["read_only"]) == (f"rollback-agent:{__version__}", True)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """But for what `prepare` makes and what is the user's own."""
    declared = yaml.safe_load(FILE.read_text())["volumes"]
    for volume in SERVICES[name]["volumes"]:
        source = volume.split(":")[0]
        if source.startswith(("./secrets/", "/")):
            continue
        assert source in declared or (HERE / source).exists(), source


def test_prometheus_is_configured_as_shipped() -> None:
    """But for addresses, the place of the rules, and the token that the receiver wants beyond loopback."""
    shipped = (REPOSITORY / "alert-rules" / "prometheus.yml").read_text()
    for before, after in (
        ('"*.rules.yml"', '"rules/*.rules.yml"'),
        ("127.0.0.1:9093", "alertmanager:9093"),
        ("127.0.0.1:9196", "exporter:9196"),
        ("127.0.0.1:9195", "receiver:9195"),
    ):
        shipped = shipped.replace(before, after)
    wanted, found = yaml.safe_load(shipped), yaml.safe_load((HERE / "prometheus.yml").read_text())
    (job,) = [one for one in found["scrape_configs"] if one["job_name"] == "rollback-agent"]
    assert job.pop("authorization") == {"credentials_file": "secrets/viewer.token"}
    assert found == wanted
    command = ["promtool", "check", "config", "--syntax-only", HERE / "prometheus.yml"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)


def test_alertmanager_is_configured_as_shipped() -> None:
    """But for the receiver's address and the place of the token."""
    shipped = (REPOSITORY / "alert-rules" / "alertmanager.yml").read_text()
    shipped = shipped.replace("//127.0.0.1:9195/", "//receiver:9195/").replace(
        " webhook.token", " secrets/webhook.token"
    )
    assert yaml.safe_load((HERE / "alertmanager.yml").read_text()) == yaml.safe_load(shipped)
    subprocess.run(["amtool", "check-config", HERE / "alertmanager.yml"], capture_output=True, timeout=60, check=True)


def test_grafana_is_configured_as_shipped() -> None:
    """But for Prometheus' address."""
    shipped = (REPOSITORY / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text()
    shipped = shipped.replace("//127.0.0.1:9090", "//prometheus:9090")
    assert yaml.safe_load((HERE / "datasource.yml").read_text()) == yaml.safe_load(shipped)


def test_both_configurations_are_good() -> None:
    """Of the receiver and of the exporter, which listen for the other containers."""
    assert load_config(HERE / "agent.yml").listen == "0.0.0.0:9195"
    assert load(HERE / "exporter.yml", ExporterConfig).listen == "0.0.0.0:9196"


@pytest.mark.skipif(os.geteuid() != 0, reason="it gives files to other users, which root alone can do")
def test_prepare_makes_secrets_that_the_agent_takes(tmp_path: Path) -> None:
    """Each for its reader alone; a second time it makes nothing anew; a stand-in for docker runs the image's Python."""
    shutil.copy(HERE / "prepare", tmp_path / "prepare")
    inside = tmp_path / "etc"  # as the receiver's container sees it
    inside.mkdir()
    shutil.copy(HERE / "agent.yml", inside / "agent.yml")
    (inside / "secrets").symlink_to("../secrets/agent")
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\nwhile [ "$1" != -c ]; do shift; done\nexec {sys.executable} "$@"\n')
    docker.chmod(0o755)
    environment = {"PATH": f"{docker.parent}:{os.defpath}"}
    said = [
        subprocess.run([tmp_path / "prepare"], capture_output=True, text=True, timeout=120, check=True, env=environment)
        for _ in range(2)
    ]
    config = load_config(inside / "agent.yml")
    assert list(load_web_config(config.web.config_file).basic_auth_users) == ["operator"]
    assert "the password " in said[0].stdout
    assert "operator" not in said[1].stdout
    secrets = tmp_path / "secrets"
    for name, other in (("webhook.token", "alertmanager"), ("viewer.token", "prometheus")):
        assert (secrets / "agent" / name).read_text() == (secrets / other / name).read_text()
    assert (secrets / "agent" / "webhook.token").read_text() != (secrets / "agent" / "viewer.token").read_text()
    owners = {"agent": 65532, "prometheus": 65534, "alertmanager": 65534, "grafana": 472}
    for file in (path for path in secrets.rglob("*") if path.is_file()):
        assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_uid) == (0o600, owners[file.parent.name])
