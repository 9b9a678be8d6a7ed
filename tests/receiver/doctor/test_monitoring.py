"""`doctor` beside a real Prometheus with the shipped rules and a real Alertmanager with the shipped routes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import yaml

from demo.monitoring import start_alertmanager, start_prometheus
from demo.processes import free_port, wait_until
from receiver.alertmanager import Alertmanager
from receiver.doctor.checked import made
from receiver.doctor.monitoring import Monitoring, of_monitoring
from receiver.prometheus_api import PrometheusApi
from receiver.rules.api import RulesApi
from tests.receiver.doctor.watching import ROUTES


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    """Both servers, of which the one sends to the other."""
    directory = tmp_path_factory.mktemp("monitoring")
    routes = yaml.safe_load(ROUTES.read_text())
    routes["receivers"][1]["webhook_configs"][0]["http_config"]["authorization"]["credentials_file"] = "/dev/null"
    ports = free_port(), free_port()
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(ROUTES.parent / "*.rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports[0]}"]}]}]},
    }
    with (
        start_alertmanager(directory, routes, ports[0]) as alertmanager,
        start_prometheus(directory, config, ports[1]) as prometheus,
    ):
        yield Monitoring(RulesApi(PrometheusApi(prometheus.url, 30.0)), Alertmanager(alertmanager.url, 30.0))


def test_as_shipped_all_is_well(real: Monitoring) -> None:
    """Rules, clock, alerting and routes; Prometheus needs a moment until it knows where to send."""
    assert wait_until(lambda: bool(real.rules.alertmanagers()), 60)
    found = {one.subject: one.wrong for one in made(of_monitoring(real, ("qrl", "shop"), time.time))}
    assert found == dict.fromkeys(("Prometheus", "clock", "rules", "alerting", "routes"))


def test_a_clock_that_is_ahead_is_found(real: Monitoring) -> None:
    """By Prometheus' own time."""
    found = {one.subject: one.wrong for one in made(of_monitoring(real, ("qrl",), lambda: time.time() + 3600))}
    assert "ahead of Prometheus'" in (found["clock"] or "")
