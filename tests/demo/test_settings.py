"""The written configurations load where they are meant to, and differ from the shipped ones in addresses only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configfile import load
from demo import settings
from demo.deployment import Deployment
from demo.places import Places, Ports
from exporters.config import Config as ExporterConfig
from receiver.config import load_config
from receiver.model import Autonomy

PORTS = Ports(1001, 1002, 1003, 1004, 1005, 1006, 1007)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Directories of a demonstration that was never started."""
    return Places(tmp_path)


def leaves(value: object, at: str = "") -> Iterator[tuple[str, object]]:
    """Every scalar of a YAML value with its dotted path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{at}.{number}")
    else:
        yield at, value


def changes(name: str, written: dict[str, Any]) -> dict[str, object]:
    """What was changed, added or taken away compared with the shipped file."""
    shipped = dict(leaves(yaml.safe_load((settings.ALERT_RULES / name).read_text())))
    now = dict(leaves(written))
    return {path: now.get(path) for path in shipped.keys() | now.keys() if shipped.get(path) != now.get(path)}


def check(*command: str | Path) -> None:
    """Run a checker, which has to be content."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_differs_in_addresses_and_intervals_only(places: Places) -> None:
    """Rules are the shipped files by path, so the demonstration proves them and not faster copies."""
    written = settings.prometheus(PORTS)
    rules = str(settings.ALERT_RULES / "*.rules.yml")
    assert changes("prometheus.yml", written) == {
        ".global.scrape_interval": "5s",
        ".global.evaluation_interval": "5s",
        ".rule_files.0": rules,
        ".alerting.alertmanagers.0.static_configs.0.targets.0": "127.0.0.1:1007",
        ".scrape_configs.0.static_configs.0.targets.0": "127.0.0.1:1004",
        ".scrape_configs.1.static_configs.0.targets.0": "127.0.0.1:1005",
        ".scrape_configs.2.static_configs.0.targets.0": "127.0.0.1:1007",
    }
    check("promtool", "check", "config", settings.write(places.root / "prometheus.yml", written))


def test_alertmanager_differs_in_addresses_only(places: Places) -> None:
    """Routes, waits and inhibitions are the shipped ones, and mail goes nowhere."""
    written = settings.alertmanager(places, PORTS)
    assert changes("alertmanager.yml", written) == {
        ".receivers.0.email_configs.0.smarthost": "127.0.0.1:1",
        ".receivers.1.webhook_configs.0.url": "http://127.0.0.1:1005/api/v1/alerts",
        ".receivers.1.webhook_configs.0.http_config.authorization.credentials_file": str(settings.token_file(places)),
    }
    check("amtool", "check-config", settings.write(places.root / "alertmanager.yml", written))


def test_the_exporter_checks_every_kind(places: Places) -> None:
    """The strict reader takes the file, and no kind of check is left out."""
    file = settings.write(places.root / "exporter.yml", settings.exporter(places, PORTS))
    config = load(file, ExporterConfig)
    kinds = {check.kind.value for _, _, service in config.services() for check in service.checks}
    assert kinds == {"availability", "authentication", "payment", "database", "ui"}
    assert {service for _, service, _ in config.services()} == {"fastapi", "flask", "gradio"}


def test_the_receiver_takes_its_configuration(places: Places) -> None:
    """The strict reader takes the file; the restart command and the autonomy arrive."""
    deployment = Deployment(places, PORTS)
    written = settings.receiver(deployment, places, PORTS, places.root / "rollback", "L4")
    config = load_config(settings.write(places.root / "receiver.yml", written))
    assert config.autonomy_of("qrl") is Autonomy.L4
    assert config.deployments["qrl"].target.releases.restart == deployment.restart_command
    diagnosis = config.deployments["qrl"].diagnosis
    assert diagnosis.health is not None
    assert diagnosis.health[-1] == str(places.root / settings.EXPORTER_FILE)
    assert diagnosis.access_logs == tuple(places.access_log(service) for service in ("fastapi", "flask", "gradio"))


def test_the_token_is_private_and_kept(places: Places) -> None:
    """Only its owner can read it, and asking again gives the same one."""
    file = settings.token_file(places)
    token = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(token.strip()) >= 32
    assert settings.token_file(places).read_text() == token
