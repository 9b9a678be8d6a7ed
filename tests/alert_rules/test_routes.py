"""The example Alertmanager sends each alert to the right receiver, as amtool sees its routes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.prometheus_versions import Version

WEBHOOK, HUMAN = "rollback-agent", "human"
ReceiverOf = Callable[[dict[str, str]], str]


@pytest.fixture
def receiver_of(version: Version, shipped: Path) -> ReceiverOf:
    """Names the receivers of an alert with these labels, as amtool prints them."""

    def receiver_of(labels: dict[str, str]) -> str:
        config = f"--config.file={shipped / 'alertmanager.yml'}"
        pairs = (f'{name}="{value}"' for name, value in labels.items())
        routed = version.run("amtool", "config", "routes", "test", config, *pairs)
        assert routed.returncode == 0, routed.stderr
        return routed.stdout.strip()

    return receiver_of


@pytest.fixture
def alertmanager(shipped: Path) -> Any:
    """The example configuration."""
    return yaml.safe_load((shipped / "alertmanager.yml").read_text())


def test_every_branch_goes_to_the_agent(receiver_of: ReceiverOf, branches: list[dict[str, Any]]) -> None:
    """The agent, and it alone, gets every branch of the tree."""
    assert branches
    for rule in branches:
        labels = {"alertname": rule["alert"], "deployment": "qrl", **rule["labels"]}
        assert receiver_of(labels) == WEBHOOK, rule["alert"]


def test_own_alerts_go_to_people(receiver_of: ReceiverOf, rules: list[dict[str, Any]]) -> None:
    """An alert of the agent about itself never comes back to it, except Watchdog, which shows that alerts arrive."""
    own = [rule for rule in rules if "alert" in rule and "branch" not in rule["labels"]]
    assert own
    routed = {
        rule["alert"]: receiver_of({"alertname": rule["alert"], "deployment": "qrl", "job": "any", **rule["labels"]})
        for rule in own
    }
    assert routed == {rule["alert"]: HUMAN for rule in own} | {"Watchdog": WEBHOOK}


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "RollbackNeedsHuman", "deployment": "qrl", "reason": "rollback_failed"},
        {"alertname": "RollbackNeedsHuman", "deployment": "qrl", "branch": "service_down", "rank": "1"},
        {"alertname": "DiskFull", "deployment": "qrl"},
        {"alertname": "DiskFull", "branch": ""},
    ],
    ids=["escalation", "escalation that names its branch", "no branch", "empty branch"],
)
def test_everything_else_goes_to_people(receiver_of: ReceiverOf, labels: dict[str, str]) -> None:
    """An escalation never comes back to the agent, and an alert without a branch never gets there."""
    assert receiver_of(labels) == HUMAN


def test_webhook_is_as_the_agent_needs_it(alertmanager: Any) -> None:
    """Complete lists with their ends, a token from a file, and no redirect."""
    (webhook,) = next(r for r in alertmanager["receivers"] if r["name"] == WEBHOOK)["webhook_configs"]
    assert webhook == {
        "url": "http://127.0.0.1:9195/api/v1/alerts",
        "send_resolved": True,
        "max_alerts": 0,
        "http_config": {
            "follow_redirects": False,
            "authorization": {"credentials_file": "webhook.token"},
        },
    }


def test_every_receiver_tells_somebody(alertmanager: Any) -> None:
    """No receiver is without an integration, which would drop its alerts in silence."""
    for receiver in alertmanager["receivers"]:
        assert any(key.endswith("_configs") for key in receiver), receiver["name"]
