"""The real Prometheus and Alertmanager start on free ports and stop."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from demo.monitoring import start_alertmanager, start_prometheus
from demo.processes import NotReadyError, answers, free_port

ALERTMANAGER = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


def test_both_start_with_the_configuration_given(tmp_path: Path) -> None:
    """Both become ready, and Prometheus runs with the configuration it was given."""
    with (
        start_alertmanager(tmp_path / "am", ALERTMANAGER, free_port()) as alertmanager,
        start_prometheus(tmp_path / "prom", "global: {scrape_interval: 7s}\n", free_port()) as prometheus,
    ):
        config = requests.get(f"{prometheus.url}/api/v1/status/config", timeout=30).json()
        assert "scrape_interval: 7s" in config["data"]["yaml"]
        assert requests.get(f"{alertmanager.url}/api/v2/status", timeout=30).json()["cluster"]["status"] == "disabled"
    assert not answers(f"{prometheus.url}/-/ready")
    assert not answers(f"{alertmanager.url}/-/ready")


def test_a_configuration_that_does_not_load_is_told(tmp_path: Path) -> None:
    """The error shows what Prometheus itself said."""
    with pytest.raises(NotReadyError, match="no_such_key"):
        start_prometheus(tmp_path, "no_such_key: 1\n", free_port())
