"""The units and manifests are what the pages about installing say of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
UNIT = DEPLOY / "rollback-agent.service"
UNITS = (UNIT, DEPLOY / "rollback-agent-exporter.service")


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    """Each manifest by its kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_understood_and_exposes_little(unit: Path) -> None:
    """systemd knows every key of it, and rates what is left open at 2.0 at most."""
    arguments = ("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", unit)
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert "Unknown" not in done.stderr
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_verified(unit: Path, tmp_path: Path) -> None:
    """systemd finds nothing to say of it, once its program is there; and it is not root's."""
    text = unit.read_text()
    assert re.search(r"^User=rollback-(agent|exporter)$", text, re.MULTILINE)
    (tmp_path / unit.name).write_text(text.replace("/opt/rollback-agent/bin/rollback-agent", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_the_unit_leaves_a_running_command_alone() -> None:
    """A stop ends the agent alone, and waits longer than the agent does."""
    lines = UNIT.read_text().splitlines()
    assert {"KillMode=process", "TimeoutStopSec=20", "Restart=always"} <= set(lines)


def test_the_pods_are_harmless(manifests: dict[str, Any]) -> None:
    """They are not root, on a read-only root file system, without capabilities, and each has a volume of its own."""
    pod = manifests["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (claim,) = manifests["StatefulSet"]["spec"]["volumeClaimTemplates"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {claim["metadata"]["name"], *(volume["name"] for volume in pod["volumes"])}


def test_the_pods_are_asked_for_their_health_and_kept(manifests: dict[str, Any]) -> None:
    """Ready and healthy are the agent's own, and one pod at a time may be taken away of those that belong together."""
    spec = manifests["StatefulSet"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe")]
    assert probes == ["/-/ready", "/-/healthy"]
    labels = spec["template"]["metadata"]["labels"]
    budget = manifests["PodDisruptionBudget"]["spec"]
    assert (budget["maxUnavailable"], budget["selector"]["matchLabels"]) == (1, labels)
    assert manifests["Service"]["spec"]["selector"] == labels
