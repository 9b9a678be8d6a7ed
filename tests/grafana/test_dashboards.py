"""The committed dashboards are those that the code builds from the rules of today."""

from __future__ import annotations

import re

import pytest
import yaml

from grafana.dashboards import texts
from grafana.limits import branches, limit, reference
from tests.grafana.reading import FILES, GRAFANA, panels, read, variables

RULES = GRAFANA.parent / "alert-rules"
TREE = (RULES / "decision-tree.rules.yml").read_text()


def test_the_committed_files_are_current() -> None:
    """`python -m grafana.dashboards` would write exactly what is there."""
    assert {file.name: file.read_text() for file in FILES} == texts()


def test_the_links_of_the_rules_arrive() -> None:
    """Each dashboard that an alert names is there, and has the variable that the link sets."""
    found = set(re.findall(r"dashboard_url: \S+/d/([a-z-]+)\?var-([a-z]+)=", TREE))
    there = {(dashboard["uid"], name) for dashboard in map(read, FILES) for name in variables(dashboard)}
    assert found
    assert found <= there


@pytest.mark.parametrize(
    ("alert", "signal", "written"),
    [
        ("HighErrorRate", "service:http_request_errors:ratio_rate5m", "ratio_rate5m > 0.10"),
        ("WideImpact", "deployment:users_affected:ratio", "ratio >= 0.05"),
        ("ServiceDown", "deployment:availability:ratio", "availability:ratio < 0.5"),
    ],
)
def test_a_limit_is_what_the_rule_compares_with(alert: str, signal: str, written: str) -> None:
    """Operator and number are those in the text of the rule."""
    found = limit(alert, signal)

    *_, operator, number = written.split()
    assert written in found.rule.expression
    assert (found.operator, found.number) == (operator, float(number))


def test_a_limit_that_is_gone_stops_the_build() -> None:
    """A rule that was renamed, or compares something else now, is an error and never a panel without its line."""
    with pytest.raises(LookupError, match=r"no rule in .* is the alert Renamed"):
        limit("Renamed", "deployment:ui:ratio")
    with pytest.raises(LookupError, match="ServiceDown compares deployment:ui:ratio with no number"):
        limit("ServiceDown", "deployment:ui:ratio")
    with pytest.raises(LookupError, match="ServiceDown compares deployment:availability:ratio with numbers only"):
        reference("ServiceDown", "deployment:availability:ratio")


def test_the_limits_are_drawn() -> None:
    """Thresholds of the panels of a deployment are the numbers of the rules, in their colours."""
    (deployment,) = (read(file) for file in FILES if file.stem == "rollback-deployment")
    steps = {
        panel["title"]: [
            (one["value"], one["color"]) for one in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        ]
        for panel in panels(deployment)
        if panel["type"] == "timeseries"
    }
    assert steps["Errors"] == [(None, "green"), (0.05, "red"), (0.1, "red")]
    assert steps["Users affected"] == [(None, "green"), (0.001, "orange"), (0.05, "red")]
    assert steps["Availability"] == [(None, "red"), (0.5, "green")]
    assert steps["Requests"] == [(None, "green")]


def test_the_tree_has_every_branch() -> None:
    """The timeline of the tree has a row for each branch, in the order of the ranks."""
    (deployment,) = (read(file) for file in FILES if file.stem == "rollback-deployment")
    (tree,) = (panel for panel in panels(deployment) if panel["title"] == "Branches")
    ranks = [target["legendFormat"].split()[0] for target in tree["targets"]]
    assert ranks == [one.labels["rank"] for one in branches()] == [str(rank) for rank in range(1, 15)]


def test_the_provisioning_files_load_what_is_here() -> None:
    """The provider names the folder and the directory, the data source the interval of the shipped prometheus.yml."""
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "rollback-agent.yml").read_text())[
        "providers"
    ]
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    scraped = yaml.safe_load((RULES / "prometheus.yml").read_text())["global"]["scrape_interval"]

    assert (provider["folder"], provider["type"], provider["options"]["path"]) == (
        "Rollback agent",
        "file",
        "/var/lib/grafana/dashboards/rollback-agent",
    )
    assert (source["type"], source["jsonData"]["timeInterval"]) == ("prometheus", scraped)
