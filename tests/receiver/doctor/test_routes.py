"""Where an alert goes is told as Alertmanager itself tells it."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from receiver.doctor.routes import NotUnderstood, Receiver, receivers_of
from tests.receiver.doctor.watching import ROUTES

TREE = """
route:
  receiver: top
  routes:
    - receiver: first
      matchers: ['a="1"', 'b!=2']
      continue: true
    - match: {a: "1"}
      routes:
        - {receiver: deep, match_re: {b: "x.*"}}
        - {receiver: quoted, matchers: ['b="with \\"quote\\", comma"']}
    - {receiver: both, matchers: ['{a=~"2|3",b!~"x.*"}']}
    - {receiver: bare, matchers: [a = 4, 'b=']}
receivers: [{name: top}, {name: first}, {name: deep}, {name: quoted}, {name: both}, {name: bare}]
"""
VALUES = ("", "1", "2", "3", "4", "23", "x", "xy", "yx", 'with "quote", comma')


def by_amtool(config: Path, labels: dict[str, str]) -> str:
    """The receivers' names as Alertmanager's own tool tells them."""
    pairs = [f"{name}={json.dumps(value)}" for name, value in labels.items() if value]
    command = ["amtool", "config", "routes", "test", f"--config.file={config}", *pairs]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_every_alert_goes_where_amtool_says(tmp_path: Path) -> None:
    """Through matchers of every form, routes below routes, and such as go on."""
    config = tmp_path / "alertmanager.yml"
    config.write_text(TREE)
    for a, b in itertools.product(("", "1", "2", "4"), VALUES):
        labels = {"a": a, "b": b}
        assert ",".join(one.name for one in receivers_of(TREE, labels)) == by_amtool(config, labels), labels


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"alertname": "Watchdog"}, "rollback-agent"),
        ({"alertname": "ServiceDown", "branch": "service_down", "deployment": "qrl"}, "rollback-agent"),
        ({"alertname": "RollbackNeedsHuman", "branch": "service_down"}, "human"),
        ({"alertname": "Other"}, "human"),
    ],
)
def test_the_shipped_routes(labels: dict[str, str], name: str) -> None:
    """The agent gets what is for it, and people the rest."""
    assert [one.name for one in receivers_of(ROUTES.read_text(), labels)] == [name]
    assert by_amtool(ROUTES, labels) == name


@pytest.mark.parametrize(
    ("configured", "tells", "may_be"),
    [
        ("webhook_configs: [{url: 'http://agent:9195/api/v1/alerts'}]", True, True),
        ("webhook_configs: [{url: <secret>}]", True, True),
        ("webhook_configs: [{url: 'http://chat/hook'}]", True, False),
        ("email_configs: [{to: ada@example.org}]", True, False),
        ("webhook_configs: []", False, False),
    ],
)
def test_who_may_be_the_agent(configured: str, tells: bool, may_be: bool) -> None:
    """A webhook whose address is the agent's, or is not told."""
    text = f"route: {{receiver: r}}\nreceivers:\n  - name: r\n    {configured}\n"
    assert receivers_of(text, {}) == (Receiver("r", tells, may_be),)


@pytest.mark.parametrize(
    "text", ["", "[", "route: {}", "route: {receiver: gone}", "route: {receiver: [a]}", "route: !!int ''"]
)
def test_what_is_none_is_not_understood(text: str) -> None:
    """A configuration that Alertmanager would not load."""
    with pytest.raises(NotUnderstood):
        receivers_of(text, {})
