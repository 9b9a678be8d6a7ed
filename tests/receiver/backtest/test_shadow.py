"""A shadow decides by its own numbers and its own precedence, and nothing that is live sees it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from configfile import ConfigError
from receiver.backtest.replay import read_failures
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.settings import read_setting
from receiver.backtest.shadow import shadow_file
from receiver.rules.files import SHIPPED, TREE

SETTINGS = ("high_error_rate.threshold=0.08", "elevated_error_rate.for=1m")


def shadowed(*settings: str, name: str = "strict") -> str:
    """The rule file of a shadow of the shipped tree."""
    return shadow_file(
        read_rule_set(SHIPPED / TREE, [read_setting(one) for one in settings]), name, ", ".join(settings)
    )


def fired(directory: Path, errors: float, expr: str) -> list[dict[str, str]]:
    """What an expression finds after three minutes with this share of errors, with the live rules and the shadow."""
    (directory / "shadow.yml").write_text(shadowed(*SETTINGS))
    labels = '{deployment="qrl", service="api"}'
    values = {"service:http_request_errors:ratio_rate1m": errors, "service:http_requests:rate1m": 20}
    test = {
        "rule_files": [str(SHIPPED / TREE), "shadow.yml"],
        "evaluation_interval": "10s",
        "tests": [
            {
                "interval": "10s",
                "input_series": [{"series": name + labels, "values": f"{value}x30"} for name, value in values.items()],
                "promql_expr_test": [{"expr": expr, "eval_time": "3m"}],
            }
        ],
    }
    (directory / "test.yml").write_text(json.dumps(test))
    done = subprocess.run(
        ("promtool", "test", "rules", directory / "test.yml"), capture_output=True, text=True, timeout=60, check=False
    )
    return [one for _, alerts in read_failures((done.stdout + done.stderr).splitlines()) for one in alerts]


def test_shadow_decides_otherwise_and_the_live_rules_do_not_notice(tmp_path: Path) -> None:
    """At 9 % the shadow rolls back and is silent below that; live, the same is only elevated, as without a shadow."""
    found = fired(tmp_path, 0.09, 'ALERTS{alertstate="firing"}')
    assert {(one.get("branch"), one.get("shadow_branch")) for one in found} == {
        ("elevated_error_rate", None),
        (None, "high_error_rate"),
    }
    live = fired(tmp_path, 0.09, 'ALERTS{alertstate="firing", branch!=""}')
    assert [one["branch"] for one in live] == ["elevated_error_rate"]


def test_shadow_has_its_own_precedence(tmp_path: Path) -> None:
    """At 6 % both are elevated: neither is held back by what the other has."""
    found = fired(tmp_path, 0.06, 'ALERTS{alertstate="firing"}')
    assert {(one.get("branch"), one.get("shadow_branch")) for one in found} == {
        ("elevated_error_rate", None),
        (None, "elevated_error_rate"),
    }


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (0.04, set()),
        (0.06, {("elevated_error_rate", "rollback", "both")}),
        (0.09, {("elevated_error_rate", "rollback", "live"), ("high_error_rate", "rollback", "shadow")}),
        (0.2, {("high_error_rate", "rollback", "both")}),
    ],
)
def test_what_is_decided_is_recorded_beside_what_was_live(
    errors: float, expected: set[tuple[str, str, str]], tmp_path: Path
) -> None:
    """Each branch that decides on a deployment does so in both, only live, or only in the shadow."""
    found = fired(tmp_path, errors, "deployment:shadow_decision:bool")
    assert {(one["branch"], one["action"], one["decided_by"]) for one in found} == expected
    assert {(one["deployment"], one["shadow"]) for one in found} == ({("qrl", "strict")} if expected else set())


def test_no_rule_of_a_shadow_can_be_acted_on() -> None:
    """None has the label `branch`, by which agent and routes know what to act on; each reads its own alerts only."""
    rules: list[dict[str, Any]] = [
        rule for group in yaml.safe_load(shadowed(*SETTINGS))["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert len(rules) == len(read_rule_set(SHIPPED / TREE).branches)
    for rule in rules:
        assert "branch" not in rule["labels"]
        assert rule["labels"]["shadow"] == "strict"
        assert rule["expr"].count("ALERTS{") == rule["expr"].count('ALERTS{shadow="strict", ')
        assert ' branch!=""' not in rule["expr"]


def test_prometheus_sends_no_shadow_to_alertmanager() -> None:
    """The shipped configuration drops what has a label `shadow` before it is sent, so no route can be wrong."""
    (relabel,) = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())["alerting"]["alert_relabel_configs"]
    assert relabel == {"source_labels": ["shadow"], "regex": ".+", "action": "drop"}


def test_name_that_cannot_be_a_label_is_told() -> None:
    """A name goes into expressions as it is, so it is letters, digits and underlines."""
    with pytest.raises(ConfigError, match="cannot name a shadow"):
        shadowed(*SETTINGS, name='a"b')
