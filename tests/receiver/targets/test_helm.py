"""The `helm` target: with a real helm, where there is one, against a stand-in for the API that records what changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.config.targets import HelmTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets.act_if_live import CHANGED
from receiver.targets.helm import HelmRelease
from tests.receiver.targets.cluster import Cluster, cluster

REPOSITORY = Path(__file__).parents[3]
HELM = shutil.which("helm") or shutil.which("helm", path=str(REPOSITORY / ".tools"))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm: scripts/helm says why")


@pytest.fixture
def shop() -> Iterator[Cluster]:
    """The release qrl with three revisions, of which the third is live."""
    with cluster() as one:
        one.helm_release("qrl", 1, "superseded", "Install complete", "1.0")
        one.helm_release("qrl", 2, "superseded", "Upgrade complete", "3f2c9aa")
        one.helm_release("qrl", 3, "deployed", "Upgrade complete", "1.2")
        yield one


def real(shop: Cluster, directory: Path) -> HelmRelease:
    return target(directory, kubeconfig=shop.kubeconfig(directory), helm=HELM)


def target(directory: Path, **changes: Any) -> HelmRelease:
    config = {"kubeconfig": directory / "kubeconfig", "namespace": "shop", "release": "qrl", "timeout": "20s"}
    return HelmRelease(HelmTarget.model_validate(config | changes))


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """The command as the wrapper runs it, without a home."""
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=60)


@needs_helm
def test_reads_the_history(shop: Cluster, tmp_path: Path) -> None:
    """A release is named by its revision; a commit as the version of the application is its commit."""
    qrl = real(shop, tmp_path)
    assert (qrl.live().id, qrl.live().commit) == ("revision-3", None)
    assert qrl.live().live_since is not None
    assert qrl.known() == (
        Release("revision-1", None), Release("revision-2", "3f2c9aa"), Release("revision-3", None),
    )  # fmt: skip
    assert faults(qrl) == ()


@needs_helm
def test_rolls_back_and_keeps_the_name(shop: Cluster, tmp_path: Path) -> None:
    """helm gives the revision that is gone back to a new number; the release keeps its name, also the next time."""
    qrl = real(shop, tmp_path)

    done = run(qrl.command(Level.FAST, qrl.live(), qrl.known()[1]))

    assert done.returncode == 0, done.stdout
    assert "PATCH /api/v1/namespaces/shop/configmaps/qrl" in shop.writes
    assert shop.objects["configmaps"]["qrl"]["data"]["version"] == "3f2c9aa"
    assert qrl.live().id == "revision-2"
    assert {release.id for release in qrl.known()} == {"revision-1", "revision-2", "revision-3"}
    done = run(qrl.command(Level.FAST, qrl.live(), Release("revision-3", None)))
    assert (done.returncode, qrl.live().id) == (0, "revision-3")


@needs_helm
def test_only_from_the_revision_of_the_plan(shop: Cluster, tmp_path: Path) -> None:
    """An upgrade after the plan was made, and nothing is changed."""
    qrl = real(shop, tmp_path)
    command = qrl.command(Level.FAST, qrl.live(), qrl.known()[0])
    shop.helm_release("qrl", 4, "deployed", "Upgrade complete", "1.3")
    done = run(command)
    assert (done.returncode, shop.writes) == (CHANGED, [])
    assert done.stdout == "the live release is '4', not '3' as planned; nothing was touched\n"


@needs_helm
def test_what_helm_says_is_told(shop: Cluster, tmp_path: Path) -> None:
    """A release that is not there, and a cluster that is away, are errors in helm's own words."""
    qrl = real(shop, tmp_path)
    shop.objects["secrets"].clear()
    with pytest.raises(TargetError, match="ended with exit code 1: Error: release: not found"):
        qrl.live()
    shop.status = 503
    with pytest.raises(TargetError, match="ended with exit code 1: Error: "):
        qrl.live()


# What follows needs no helm: a script tells its history.


def telling(directory: Path, answer: str) -> HelmRelease:
    """A target whose helm prints this."""
    helm = directory / "helm"
    helm.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    helm.chmod(0o755)
    return target(directory, helm=helm)


def history(*lines: tuple[int, str, str]) -> str:
    """A history of numbers, statuses and descriptions."""
    common = {"updated": "2026-11-20T12:00:00.123456789Z", "chart": "qrl-0.1.0", "app_version": "1.0"}
    return json.dumps([common | {"revision": n, "status": s, "description": d} for n, s, d in lines])


def test_name_follows_rollbacks_to_where_they_began(tmp_path: Path) -> None:
    """A rollback to a rollback is the revision that both came from, also once helm has forgotten that one."""
    told = history(
        (4, "superseded", "Rollback to 2"), (5, "superseded", "Upgrade complete"), (6, "deployed", "Rollback to 4")
    )
    qrl = telling(tmp_path, told)
    assert qrl.live().id == "revision-2"
    assert [release.id for release in qrl.known()] == ["revision-5", "revision-2"]


def test_descriptions_cannot_lead_in_a_circle(tmp_path: Path) -> None:
    """A description that was written to mislead leads at most to an earlier revision."""
    told = history(
        (1, "superseded", "Rollback to 2"), (2, "superseded", "Rollback to 2"), (3, "failed", "Rollback to 9")
    )
    qrl = telling(tmp_path, told)
    assert qrl.live().id == "revision-3"
    assert [release.id for release in qrl.known()] == ["revision-1", "revision-2", "revision-3"]


def test_failed_upgrade_is_live_and_no_target(tmp_path: Path) -> None:
    """What an upgrade that failed has left is what runs, and nothing goes back to a failed one."""
    told = history(
        (1, "deployed", "Install complete"), (2, "failed", "Upgrade failed"), (3, "failed", "Upgrade failed")
    )
    qrl = telling(tmp_path, told)
    assert qrl.live().id == "revision-3"
    assert [release.id for release in qrl.known()] == ["revision-1", "revision-3"]
    command = qrl.command(Level.FAST, qrl.live(), Release("revision-1", None))
    assert command[-5:] == ("qrl", "1", "--wait", "--timeout", "20s")
    with pytest.raises(TargetError, match="history of qrl has no revision-2 any more"):
        qrl.command(Level.FAST, qrl.live(), Release("revision-2", None))


@pytest.mark.parametrize("status", ["pending-upgrade", "pending-rollback", "uninstalled", "unknown"])
def test_helm_at_work_is_no_live_release(tmp_path: Path, status: str) -> None:
    """While helm upgrades or uninstalls, or was ended in the middle, nothing is planned."""
    qrl = telling(tmp_path, history((1, "superseded", "Install complete"), (2, status, "")))
    with pytest.raises(TargetError, match=f"revision 2 of qrl is {status}: helm is at work on it"):
        qrl.live()


@pytest.mark.parametrize("answer", ["{}", "null", "[1]", '[{"revision": "x"}]', "not found", "[]"])
def test_odd_answer_is_an_error(tmp_path: Path, answer: str) -> None:
    """Whatever helm prints, what is not understood is told and never taken for a release."""
    with pytest.raises(TargetError, match=r"what is no JSON|cannot be understood|knows no revision"):
        telling(tmp_path, answer).live()


def test_full_rollback_is_not_offered(tmp_path: Path) -> None:
    """helm knows nothing of a database, so a person is named as the way."""
    with pytest.raises(TargetError, match="a full rollback of the helm target is not configured; a person must"):
        target(tmp_path).command(Level.FULL, Release("revision-2", None), Release("revision-1", None))
