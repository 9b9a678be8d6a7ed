"""The manifests are valid, harmless, allow as little as they can, and hold the rules as they are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from receiver import __version__

REPOSITORY = Path(__file__).parents[2]
FILES = sorted((REPOSITORY / "docs" / "deploy" / "kubernetes").glob("*.yaml"))
SCHEMAS = [json.loads((REPOSITORY / "tests" / "schemas" / f"{name}.json").read_text())
           for name in ("kubernetes", "prometheus-operator")]  # fmt: skip
KINDS = {kind: schema | {"$defs": one.get("$defs", {})} for one in SCHEMAS for kind, schema in one["kinds"].items()}


def documents(file: str = "*.yaml") -> list[dict[str, Any]]:
    """Every document of the files."""
    return [one for path in FILES if path.match(file) for one in yaml.safe_load_all(path.read_text())]


def named(kind: str, name: str) -> dict[str, Any]:
    """The one document of that kind and name."""
    (found,) = [one for one in documents() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def faults(document: dict[str, Any]) -> list[str]:
    """What the schema of its kind says against it."""
    validator = jsonschema_rs.validator_for(KINDS[document["kind"]])
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(document)]


@pytest.mark.parametrize("document", documents(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_a_manifest_is_valid(document: dict[str, Any]) -> None:
    """By the schema of its kind, in a namespace of its own."""
    assert faults(document) == []
    assert document["metadata"]["namespace"] in {"rollback-agent", "qrl"}


def test_a_wrong_manifest_is_found() -> None:
    """An unknown key, and a value of another kind, deep in a pod and in a rule."""
    stateful = named("StatefulSet", "rollback-agent")
    stateful["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    assert "imagePullPolcy" in str(faults(stateful))
    stateful = named("StatefulSet", "rollback-agent")
    stateful["spec"]["replicas"] = "three"
    assert "replicas" in str(faults(stateful))
    rule = named("PrometheusRule", "rollback-agent")
    rule["spec"]["groups"][0]["rules"][0]["for"] = "soon"
    assert "soon" in str(faults(rule))


def test_the_rules_are_those_of_alert_rules(tmp_path: Path) -> None:
    """What scripts/prometheus-rule writes is what stands there: every group, and Prometheus takes it."""
    script = [sys.executable, REPOSITORY / "scripts" / "prometheus-rule"]
    written = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True).stdout
    (file,) = [path for path in FILES if path.name == "rules.yaml"]
    assert file.read_text() == written, "run scripts/prometheus-rule > docs/deploy/kubernetes/rules.yaml"
    shipped = [yaml.safe_load(path.read_text()) for path in sorted((REPOSITORY / "alert-rules").glob("*.rules.yml"))]
    groups = named("PrometheusRule", "rollback-agent")["spec"]["groups"]
    assert groups == [group for one in shipped for group in one["groups"]]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    checked = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rights_are_the_least() -> None:
    """No right of the whole cluster, none beyond the Deployments and their ReplicaSets, and only `patch` changes."""
    assert not [one for one in documents() if one["kind"].startswith("Cluster")]
    (role,) = [one for one in documents() if one["kind"] == "Role"]
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"deployments", "replicasets"}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch", "patch"}
    (patch,) = [rule for rule in role["rules"] if "patch" in rule["verbs"]]
    assert patch["resourceNames"]
    (binding,) = [one for one in documents() if one["kind"] == "RoleBinding"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert named("ServiceAccount", binding["subjects"][0]["name"])["automountServiceAccountToken"] is False


WORKLOADS = ("rollback-agent", "rollback-exporter")


@pytest.fixture(params=WORKLOADS)
def workload(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The receiver and the exporter."""
    return named("StatefulSet" if request.param == "rollback-agent" else "Deployment", request.param)


def test_a_pod_is_harmless(workload: dict[str, Any]) -> None:
    """Not root, on a read-only root file system, without capabilities; everything that is mounted is declared."""
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    claims = workload["spec"].get("volumeClaimTemplates", [])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {*(one["metadata"]["name"] for one in claims), *(volume["name"] for volume in pod["volumes"])}
    assert container["image"] == f"rollback-agent:{__version__}"


def test_a_pod_is_reached_as_it_is_meant(workload: dict[str, Any]) -> None:
    """Its service, its policy and its monitor mean the same pods and the same port."""
    name = workload["metadata"]["name"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"] == labels
    service = named("Service", name)
    assert (service["spec"]["selector"], service["metadata"]["labels"]) == (labels, labels)
    assert named("NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"] == labels
    monitor = named("ServiceMonitor", name)
    assert monitor["spec"]["selector"]["matchLabels"] == labels
    (endpoint,) = monitor["spec"]["endpoints"]
    ports = {port["name"] for port in workload["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert ({endpoint["port"]}, endpoint["honorLabels"]) == (ports, True)


def test_jobs_are_named_as_in_the_rules() -> None:
    """A job is called like its service; a rule that asks for another one would never find it."""
    rules = (REPOSITORY / "alert-rules" / "agent.rules.yml").read_text()
    assert set(re.findall(r'job="(rollback-[a-z]+)"', rules)) <= set(WORKLOADS)


def test_the_receivers_are_asked_for_their_health_and_kept() -> None:
    """Ready and healthy are the agent's own, and one pod at a time may be taken away of those that belong together."""
    spec = named("StatefulSet", "rollback-agent")["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe")]
    assert probes == ["/-/ready", "/-/healthy"]
    budget = named("PodDisruptionBudget", "rollback-agent")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
