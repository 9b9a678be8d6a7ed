"""Every expression, parsed: it names what is exposed, keeps deployments apart, and decides by enough requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters import names
from tests.alert_rules import promql_lint as lint
from tests.alert_rules.promql_lint import Labels
from tests.alert_rules.tree_model import AVAILABILITY, WATCHED_OVER
from tests.receiver.promised_metrics import MORE, PROMISED, WITH_DRILLS, WITH_EARNING

RULES = Path(__file__).parents[2] / "alert-rules"
INTERVAL = 10
"""Seconds, as in prometheus.yml."""

ANY: Labels = None
EXPORTER: dict[str, Labels] = {
    metric.name + suffix: frozenset(metric.labels)
    for metric in names.ALL
    for suffix in (("_sum", "_count", "_bucket") if isinstance(metric, names.Histogram) else ("",))
}
RECEIVER: dict[str, Labels] = {
    name: frozenset(labels) for name, labels in (PROMISED | MORE | WITH_DRILLS | WITH_EARNING).items()
}
PROCESS: dict[str, Labels] = dict.fromkeys(
    ("process_start_time_seconds", "process_open_fds", "process_max_fds"), frozenset()
)
OURS = EXPORTER | RECEIVER | PROCESS
ALERTMANAGER: dict[str, Labels] = {
    "alertmanager_alerts_received_total": frozenset({"status", "version"}),
    "alertmanager_notifications_total": frozenset({"integration", "receiver_name"}),
    "alertmanager_notifications_failed_total": frozenset({"integration", "receiver_name", "reason"}),
}
OF_THE_RECEIVER_FOR_THE_TREE = (
    "release_info",
    "rollback_hotfix_deadline_timestamp_seconds",
    "rollback_hotfix_failed",
)
SOURCES: dict[str, dict[str, Labels]] = {
    "blackbox.rules.yml": {"probe_success": ANY},
    "http-requests.rules.yml": {
        "http_requests_total": ANY,
        "http_request_duration_seconds_sum": ANY,
        "http_request_duration_seconds_count": ANY,
    },
    "ingress-nginx.rules.yml": {
        "nginx_ingress_controller_requests": ANY,
        "nginx_ingress_controller_request_duration_seconds_sum": ANY,
        "nginx_ingress_controller_request_duration_seconds_count": ANY,
    },
    "up.rules.yml": {"up": ANY},
}
"""What a source exposes, by its file; its labels are for its user to choose."""


def rules_of(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


SIGNALS: dict[str, Labels] = {
    rule["record"]: frozenset({"deployment", "service"} if rule["record"].startswith("service:") else {"deployment"})
    for rule in rules_of(RULES / "signals.rules.yml")
}
FILES: dict[str, dict[str, Labels]] = {
    "signals.rules.yml": OURS | {"service:http_request_duration_seconds:mean5m": SIGNALS["service:availability:ratio"]},
    "decision-tree.rules.yml": SIGNALS | {"ALERTS": ANY} | {name: OURS[name] for name in OF_THE_RECEIVER_FOR_THE_TREE},
    "agent.rules.yml": OURS | ALERTMANAGER | {"up": ANY},
    "on-call.rules.yml": OURS,
} | {f"sources/{name}": metrics for name, metrics in SOURCES.items()}
"""What the rules of each file may read."""
ALL_RULES = [
    pytest.param(file, rule, id=f"{Path(file).stem}-{rule.get('alert', rule.get('record'))}-{number}")
    for file in FILES
    for number, rule in enumerate(rules_of(RULES / file))
]
QUERIES = [
    pytest.param(query, id=f"{page.stem}-{number}")
    for page in sorted(RULES.glob("runbooks/*.md"))
    for number, query in enumerate(re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL))
]


def faults(file: str, rule: dict[str, Any]) -> list[str]:
    """All that is wrong with one rule of a file."""
    text, metrics = rule["expr"], FILES[file]
    checks = [lint.unknown(text, metrics), lint.mixed(text, metrics), lint.windows(text), lint.uneven(text)]
    if "alert" in rule:
        checks += [lint.unguarded(text), untimely(rule)]
    return list(chain.from_iterable(checks))


def untimely(rule: dict[str, Any]) -> Iterator[str]:
    """Times that no evaluation meets: they would be longer than they say."""
    for key in ("for", "keep_firing_for"):
        if key in rule and seconds(rule[key]) % INTERVAL:
            yield f"{key}: {rule[key]} is no multiple of the interval"


def seconds(duration: str) -> int:
    return sum(int(count) * {"s": 1, "m": 60, "h": 3600}[unit] for count, unit in re.findall(r"(\d+)([smh])", duration))


def test_every_file_is_looked_at() -> None:
    """A further rule file or source needs a line of what it may read; and the interval is the shipped one."""
    assert {str(path.relative_to(RULES)) for path in RULES.rglob("*.rules.yml")} == FILES.keys()
    shipped = yaml.safe_load((RULES / "prometheus.yml").read_text())["global"]["evaluation_interval"]
    assert seconds(shipped) == INTERVAL


@pytest.mark.parametrize(("file", "rule"), ALL_RULES)
def test_rule_has_no_fault(file: str, rule: dict[str, Any]) -> None:
    """It reads what is exposed, keeps deployments apart, and compares a share only beside a minimum of requests."""
    assert faults(file, rule) == []


@pytest.mark.parametrize("query", QUERIES)
def test_runbook_asks_for_what_exists(query: str) -> None:
    """A query in a runbook can be parsed, and names metrics and labels that somebody exposes."""
    assert list(lint.unknown(query, OURS | SIGNALS | ALERTMANAGER | {"ALERTS": ANY, "up": ANY})) == []


def test_sources_record_signals() -> None:
    """Whatever a source records is a signal of the tree, under its very name."""
    assert {rule["record"] for name in SOURCES for rule in rules_of(RULES / "sources" / name)} <= SIGNALS.keys()


def test_what_may_be_missing_is_named_right(branches: list[dict[str, Any]]) -> None:
    """The patterns of SignalsMissing fit the signals that they are meant for; a slip in one would fit none."""
    (rule,) = (rule for rule in branches if rule["alert"] == "SignalsMissing")
    patterns = [selector for selector in lint.selectors(lint.promql.parse(rule["expr"])) if not selector.name]
    assert len(patterns) == 2
    for selector in patterns:
        assert set(lint.named_by(selector, SIGNALS)) == WATCHED_OVER
    assert AVAILABILITY in SIGNALS


@pytest.mark.parametrize(
    ("file", "change", "fault"),
    [
        ("signals.rules.yml", {"expr": "sum by (deployment) (acces_log_users)"}, "nobody exposes acces_log_users"),
        ("signals.rules.yml", {"expr": "deployment:ui:ratio"}, "nobody exposes deployment:ui:ratio"),
        ("decision-tree.rules.yml", {"expr": "healthcheck_success == 0"}, "nobody exposes healthcheck_success"),
        ("sources/up.rules.yml", {"expr": "http_requests_total"}, "nobody exposes http_requests_total"),
        ("decision-tree.rules.yml", {"expr": '{__name__=~"deployment:(uy|x):ratio"} < 1'}, "nobody exposes"),
        ("signals.rules.yml", {"expr": 'access_log_requests_total{status="500"}'}, "there is no label status"),
        ("decision-tree.rules.yml", {"expr": 'deployment:ui:ratio{service="x"} < 1'}, "there is no label service"),
        ("signals.rules.yml", {"expr": "sum by (service) (access_log_users)"}, "deployments mix"),
        ("signals.rules.yml", {"expr": "sum(access_log_users)"}, "deployments mix"),
        ("signals.rules.yml", {"expr": "sum without (deployment) (access_log_users)"}, "deployments mix"),
        ("signals.rules.yml", {"expr": "rate(access_log_requests_total[15s])"}, "less than a minute"),
        ("signals.rules.yml", {"expr": "max_over_time(access_log_users[1m:1m])"}, "must be many"),
        (
            "signals.rules.yml",
            {"expr": "sum by (deployment, service) (access_log_users) / sum by (deployment) (access_log_users)"},
            "over",
        ),
        ("decision-tree.rules.yml", {"expr": "service:http_request_errors:ratio_rate5m > 0.1"}, "no minimum"),
        (
            "decision-tree.rules.yml",
            {"expr": "service:http_request_errors:ratio_rate5m > 0.1 and service:http_requests:rate1m * 60 >= 60"},
            "no minimum of service:http_requests:rate5m",
        ),
        (
            "decision-tree.rules.yml",
            {"expr": "deployment:users_affected:ratio > 0.1 and deployment:users:count5m >= 0"},
            "no minimum of deployment:users:count5m",
        ),
        (
            "decision-tree.rules.yml",
            {"expr": "deployment:users_affected:ratio > 0.1 or deployment:users:count5m >= 60"},
            "no minimum of deployment:users:count5m",
        ),
        (
            "decision-tree.rules.yml",
            {"expr": "deployment:users_affected:ratio > 0.1 unless deployment:users:count5m >= 60"},
            "no minimum of deployment:users:count5m",
        ),
        (
            "decision-tree.rules.yml",
            {"expr": "deployment:ui:ratio / deployment:users:count5m > 1"},
            "no minimum of deployment:users:count5m",
        ),
        ("decision-tree.rules.yml", {"expr": "deployment:ui:ratio < 1", "for": "25s"}, "no multiple"),
        ("decision-tree.rules.yml", {"expr": "deployment:ui:ratio < 1", "keep_firing_for": "1m5s"}, "no multiple"),
    ],
)
def test_a_fault_is_found(file: str, change: dict[str, Any], fault: str) -> None:
    """Each fault that is looked for is found in a rule that has it, and no other."""
    (found,) = faults(file, {"alert": "Bad"} | change)
    assert fault in found


def test_a_minimum_is_found_wherever_it_stands() -> None:
    """In parentheses, on either side of `and`, or around a choice, as far as it holds for what is compared."""
    assert (
        list(lint.unguarded("service:http_requests:rate5m > 1 and (service:http_request_errors:ratio_rate5m > 0)"))
        == []
    )
    assert list(lint.unguarded("deployment:users:count5m > 1 and (x > 1 or deployment:users_affected:ratio > 0)")) == []
    assert list(lint.unguarded("(deployment:users:count5m > 1 unless y) and deployment:users_affected:ratio > 0")) == []
