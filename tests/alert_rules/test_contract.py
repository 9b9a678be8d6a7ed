"""The rules keep the contract: labels, annotations, ranks, runbooks, and the signals of the design."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from receiver.metrics import GUARDRAIL_NAMES
from receiver.needs_human import NAME

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
    "deployment:beyond_threshold:bool",
}
ASKED_BY_PEOPLE = "deployment_guardrail:rollback_refused:bool"
"""For docs/on-call.md."""


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
    """One page an alert, of that name, with the five sections; no page without an alert. One is the agent's own."""
    pages = {page.stem: page.read_text() for page in shipped.glob("runbooks/*.md")}
    assert set(pages) == {rule["alert"] for rule in rules if "alert" in rule} | {NAME}
    for name, page in pages.items():
        assert page.startswith(f"# {name}\n")
        assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS, name


def test_signals_are_the_contract(rules: list[dict[str, Any]]) -> None:
    """Every signal of the design is recorded, and beside them only what people ask, which the agent never reads."""
    assert {rule["record"] for rule in rules if "record" in rule} == SIGNALS | {ASKED_BY_PEOPLE}
    assert not ASKED_BY_PEOPLE.startswith(("deployment:", "service:"))


def test_recorded_refusals_are_guardrails(rules: list[dict[str, Any]]) -> None:
    """What is recorded of guardrails for people has their names."""
    told = [rule["labels"]["guardrail"] for rule in rules if rule.get("record") == ASKED_BY_PEOPLE]
    assert len(told) == len(set(told)) > 0
    assert set(told) <= set(GUARDRAIL_NAMES)
