"""The rules keep the contract: labels, annotations, ranks, runbooks, and metrics that somebody exposes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

# The design's table: branch, rank, action, level, confidence, severity.
TREE = [
    ("ServiceDown", "service_down", "1", "rollback", "fast", "0.99", "critical"),
    ("HighErrorRate", "high_error_rate", "2", "rollback", "fast", "0.95", "critical"),
    ("AuthenticationBroken", "authentication_broken", "3", "rollback", "fast", "0.99", "critical"),
    ("PaymentBroken", "payment_broken", "4", "rollback", "fast", "0.95", "critical"),
    ("MigrationFailed", "migration_failed", "5", "rollback", "full", "0.90", "critical"),
    ("DatabaseBrokenAfterRelease", "database_broken", "6", "rollback", "full", "0.90", "critical"),
    ("HotfixFailed", "hotfix_failed", "7", "rollback", "fast", "0.95", "critical"),
    ("MinorImpactWorsening", "minor_impact_worsening", "8", "rollback", "fast", "0.95", "critical"),
    ("WideImpact", "wide_impact", "9", "rollback", "fast", "0.95", "critical"),
    ("ElevatedErrorRate", "elevated_error_rate", "10", "rollback", "fast", "0.70", "critical"),
    ("MinorImpact", "minor_impact", "11", "watch", None, None, "warning"),
    ("MinorImpact", "minor_impact", "11", "ask", None, None, "warning"),
    ("UserInterfaceBroken", "user_interface_broken", "12", "watch", None, None, "warning"),
    ("SlowResponses", "slow_responses", "13", "ask", None, None, "warning"),
    ("SignalsMissing", "signals_missing", "14", "ask", None, None, "warning"),
]
LABELS = ("branch", "rank", "action", "level", "confidence", "severity")
ANNOTATIONS = {"summary", "description", "runbook_url", "dashboard_url"}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "What the automation did"]

# What the rules may read: of the exporter, and of the receiver.
EXPOSED = {
    "healthcheck_success",
    "access_log_requests_total",
    "access_log_request_duration_seconds_sum",
    "access_log_request_duration_seconds_count",
    "access_log_users",
    "access_log_users_affected",
    "release_info",
    "release_timestamp_seconds",
    "release_migration_failed",
    "rollback_hotfix_deadline_timestamp_seconds",
    "rollback_hotfix_failed",
}
SIGNALS = {
    "deployment:availability:ratio",
    "service:availability:ratio",
    "service:http_requests:rate5m",
    "service:http_requests:rate1m",
    "service:http_request_errors:ratio_rate5m",
    "service:http_request_errors:ratio_rate1m",
    "service:http_request_duration_seconds:mean5m",
    "deployment:users:count5m",
    "deployment:users_affected:ratio",
    "service:http_request_duration_seconds:mean1d",
    "deployment:release_age:seconds",
    "deployment:database:ratio",
    "deployment:authentication:ratio",
    "deployment:payment:ratio",
    "deployment:ui:ratio",
    "deployment:migration_failed:bool",
}
# What a runbook may ask for beside these and what the documents list.
RUNBOOKS_ONLY = {
    "ALERTS",
    "up",
    "alertmanager_alerts_received_total",
    "alertmanager_notifications_total",
    "process_max_fds",
    "process_open_fds",
    "rollback_config_last_reload_success_timestamp_seconds",
}
KEYWORDS = {
    "by",
    "on",
    "and",
    "or",
    "unless",
    "without",
    "ignoring",
    "bool",
    "offset",
    "group_left",
    "group_right",
}


def test_branches_are_the_table(branches: list[dict[str, Any]]) -> None:
    """Every branch carries the labels of the design's table; one that asks has no level and no confidence."""
    found = [(rule["alert"], *(rule["labels"].get(name) for name in LABELS)) for rule in branches]
    assert found == TREE


def test_branches_carry_no_further_label(branches: list[dict[str, Any]]) -> None:
    """Labels that are neither in the table nor from the expression would part an incident in two."""
    assert {name for rule in branches for name in rule["labels"]} <= set(LABELS)


def test_ranks_are_in_order_and_complete(branches: list[dict[str, Any]]) -> None:
    """A branch sees the ALERTS of lower ranks only if they stand above it in the one group; each rank is one branch."""
    ranks = [int(rule["labels"]["rank"]) for rule in branches]
    assert ranks == sorted(ranks)
    assert {int(rule["labels"]["rank"]): rule["labels"]["branch"] for rule in branches}.keys() == set(range(1, 15))
    assert len({(rule["labels"]["branch"], rule["labels"]["action"]) for rule in branches}) == len(branches)


def test_precedence_names_every_rank_above(branches: list[dict[str, Any]]) -> None:
    """Each branch but the first and SignalsMissing is silent under exactly the ranks above it."""
    for rule in branches[1:]:
        if rule["alert"] == "SignalsMissing":
            assert "ALERTS" not in rule["expr"]
            continue
        (pattern,) = re.findall(r'unless on \(deployment\) ALERTS\{[^}]*rank=~?"([^"]+)"\}', rule["expr"])
        own = int(rule["labels"]["rank"])
        assert [rank for rank in range(1, 15) if re.fullmatch(pattern, str(rank))] == list(range(1, own))


def test_annotations_lead_somewhere(branches: list[dict[str, Any]]) -> None:
    """Summary, description, a link to the runbook of that name and one to a dashboard."""
    for rule in branches:
        name, annotations = rule["alert"], rule["annotations"]
        assert set(annotations) == ANNOTATIONS, name
        assert all(text.strip() for text in annotations.values()), name
        assert annotations["runbook_url"] == f"https://rollback-agent.example/runbooks/{name}"
        assert annotations["dashboard_url"].startswith("https://rollback-agent.example/d/")


def test_every_alert_has_a_runbook(shipped: Path, rules: list[dict[str, Any]]) -> None:
    """One page an alert, of that name, with the five sections; no page without an alert."""
    pages = {page.stem: page.read_text() for page in shipped.glob("runbooks/*.md")}
    assert set(pages) == {rule["alert"] for rule in rules if "alert" in rule}
    for name, page in pages.items():
        assert page.startswith(f"# {name}\n")
        assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS, name


def test_signals_are_the_contract(rules: list[dict[str, Any]]) -> None:
    """Every signal of the design is recorded, and none beside them."""
    assert {rule["record"] for rule in rules if "record" in rule} == SIGNALS


def test_signals_read_metrics_that_are_exposed(rules: list[dict[str, Any]]) -> None:
    """A recording rule reads metrics of the exporter and the receiver; only the daily mean reads a signal."""
    read = set().union(*(metrics(rule["expr"]) for rule in rules if "record" in rule))
    of_the_tree = {"release_info", "rollback_hotfix_deadline_timestamp_seconds", "rollback_hotfix_failed"}
    assert read == (EXPOSED - of_the_tree) | {"service:http_request_duration_seconds:mean5m"}


def test_branches_read_signals(branches: list[dict[str, Any]]) -> None:
    """The tree reads signals, which anybody may record, and the receiver's live releases and hotfixes."""
    read = set().union(*(metrics(rule["expr"]) for rule in branches))
    hotfix = {"rollback_hotfix_deadline_timestamp_seconds", "rollback_hotfix_failed"}
    assert read <= SIGNALS | hotfix | {"ALERTS", "release_info", "__name__"}


def test_runbooks_ask_for_metrics_that_exist(shipped: Path, rules: list[dict[str, Any]]) -> None:
    """A query in a runbook names metrics of the contract, of the alerts' own expressions, or of the documents."""
    documents = (shipped.parent / "docs" / name for name in ("metrics.md", "exporter.md"))
    documented = {
        name for page in documents for name in re.findall(r"^\| `([a-z_]+)` \|", page.read_text(), re.MULTILINE)
    }
    alerted = set().union(*(metrics(rule["expr"]) for rule in rules if "alert" in rule))
    known = SIGNALS | EXPOSED | RUNBOOKS_ONLY | documented | alerted
    for page in shipped.glob("runbooks/*.md"):
        for query in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL):
            assert metrics(query) <= known, page.name


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('sum by (a, b) (rate(x_total{code=~"y.."}[5m]))', {"x_total"}),
        ('a:b:c > 0.1 unless on (d) ALERTS{e="f", rank=~"[12]"}', {"a:b:c", "ALERTS"}),
        ('label_replace(group by (d) (present_over_time(a:b[1h])), "s", "t", "", "")', {"a:b"}),
        ("time() - max by (d) (t_seconds) * 1e3 offset 15m", {"t_seconds"}),
    ],
)
def test_names_are_found_in_an_expression(expr: str, names: set[str]) -> None:
    """What the tests above take for a metric is one: no function, label, keyword, duration or text."""
    assert metrics(expr) == names


def metrics(expr: str) -> set[str]:
    """The names of the metrics in a PromQL expression."""
    bare = re.sub(r'"[^"]*"', '""', expr)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", " ", bare)
    identifiers = re.findall(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])", bare)
    return set(identifiers) - KEYWORDS
