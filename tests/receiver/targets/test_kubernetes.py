"""The `kubernetes` target with a real kubectl, against a stand-in for the cluster's API that records what changes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from receiver.config.targets import KubernetesTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets.act_if_live import CHANGED, UNKNOWN
from receiver.targets.kubernetes import Deployments
from tests.receiver.targets.cluster import REVISION, ROLLED_OUT, Cluster, cluster

VERSION = "app.kubernetes.io/version"
KUBECTL = shutil.which("kubectl")
SINCE = datetime.fromisoformat(ROLLED_OUT).timestamp()


@pytest.fixture
def shop() -> Iterator[Cluster]:
    """Two Deployments with three versions each, of which 1.2 is live."""
    with cluster() as one:
        for version in ("1.0", "1.1", "1.2"):
            for name in ("api", "web"):
                one.deploy(name, version)
        yield one


def target(shop: Cluster, directory: Path, **changes: Any) -> Deployments:
    config = {
        "kubeconfig": shop.kubeconfig(directory),
        "namespace": "shop",
        "deployments": ["api", "web"],
        "release_label": VERSION,
        "kubectl": KUBECTL,
        "timeout": "20s",
    }
    return Deployments(KubernetesTarget.model_validate(config | changes))


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """The command as the wrapper runs it, without a home."""
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=60)


def of(target: Deployments, release: str) -> Release:
    return next(one for one in target.known() if one.id == release)


def test_reads_live_and_known_by_the_label(shop: Cluster, tmp_path: Path) -> None:
    """A release is a value of the label that every Deployment has a ReplicaSet of; live since its rollout ended."""
    shop.deploy("web", "0.9")
    shop.deploy("web", "1.2")
    qrl = target(shop, tmp_path)
    assert qrl.live() == Release("1.2", None, SINCE)
    assert [release.id for release in qrl.known()] == ["1.0", "1.1", "1.2"]


def test_one_deployment_needs_no_label_of_its_own(shop: Cluster, tmp_path: Path) -> None:
    """Without a label the hash of the pods' template is the release, and a commit as the image's tag is its commit."""
    shop.deploy("api", "1.3", image="registry.example:5000/api:3f2c9aa")
    api = target(shop, tmp_path, deployments=["api"], release_label="pod-template-hash")
    assert api.live() == Release("6d4cf564", "3f2c9aa", SINCE)
    assert [release.id for release in api.known()] == ["6d4cf561", "6d4cf562", "6d4cf563", "6d4cf564"]


def test_rolls_all_deployments_back_together(shop: Cluster, tmp_path: Path) -> None:
    """Each is undone to its own revision of the release and waited for; the release keeps its name although it goes
    live under a new revision."""
    shop.deploy("web", "0.9")
    shop.deploy("web", "1.2")
    qrl = target(shop, tmp_path)
    command = qrl.command(Level.FAST, qrl.live(), of(qrl, "1.1"))

    done = run(command)

    assert done.returncode == 0, done.stdout
    assert shop.writes == [f"PATCH /apis/apps/v1/namespaces/shop/deployments/{name}" for name in ("api", "web")]
    assert "deployment.apps/api rolled back" in done.stdout
    assert 'deployment "web" successfully rolled out' in done.stdout
    assert qrl.live().id == "1.1"
    assert (shop.revision("api"), shop.revision("web")) == (4, 6)
    assert [release.id for release in qrl.known()] == ["1.0", "1.1", "1.2"]


def test_goes_back_to_the_newest_revision_of_a_release(shop: Cluster, tmp_path: Path) -> None:
    """A release that was rolled out twice, the second time with another image or setting, is what it was in the end."""
    shop.deploy("api", "1.1", image="registry.example/api:mended")
    shop.deploy("api", "1.2")
    qrl = target(shop, tmp_path)
    command = qrl.command(Level.FAST, qrl.live(), of(qrl, "1.1"))
    assert "deployment/api --to-revision=4" in " ".join(command)
    assert "deployment/web --to-revision=2" in " ".join(command)


def test_only_from_the_revisions_of_the_plan(shop: Cluster, tmp_path: Path) -> None:
    """A rollout of one of them after the plan was made, and nothing is changed."""
    qrl = target(shop, tmp_path)
    command = qrl.command(Level.FAST, qrl.live(), of(qrl, "1.1"))
    shop.deploy("web", "1.3")

    done = run(command)

    assert (done.returncode, shop.writes) == (CHANGED, [])
    assert done.stdout == "the live release is 'api 3 web 4', not 'api 3 web 3' as planned; nothing was touched\n"


def test_cluster_that_is_away_is_told(shop: Cluster, tmp_path: Path) -> None:
    """Where the cluster does not answer nothing is read and nothing is changed, and kubectl's own words say why."""
    qrl = target(shop, tmp_path)
    command = qrl.command(Level.FAST, qrl.live(), of(qrl, "1.1"))
    shop.status = 503
    with pytest.raises(TargetError, match=rf"^{KUBECTL} ended with exit code 1: .+"):
        qrl.live()
    done = run(command)
    assert (done.returncode, shop.writes) == (UNKNOWN, [])
    assert "cannot be told" in done.stdout


def test_releases_that_differ_are_no_live_release(shop: Cluster, tmp_path: Path) -> None:
    """Where the Deployments run different releases, or one without the label, there is no one to roll back from."""
    shop.deploy("web", "1.3")
    qrl = target(shop, tmp_path)
    with pytest.raises(TargetError, match=rf"no one release is live by the label {VERSION} \(api: 1.2, web: 1.3\)"):
        qrl.live()
    with pytest.raises(TargetError, match=r"no one release is live by the label team \(api: none, web: none\)"):
        target(shop, tmp_path, release_label="team").live()


def test_what_is_not_there_is_told(shop: Cluster, tmp_path: Path) -> None:
    """A Deployment that is missing, a target whose ReplicaSet is gone, a level that it cannot do, a changed release."""
    with pytest.raises(TargetError, match="namespace shop has no Deployment db"):
        target(shop, tmp_path, deployments=["api", "db"]).live()
    qrl = target(shop, tmp_path)
    live, good = qrl.live(), of(qrl, "1.1")
    with pytest.raises(TargetError, match="a full rollback of the kubernetes target is not configured"):
        qrl.command(Level.FULL, live, good)
    with pytest.raises(TargetError, match=r"1.0 is no longer live"):
        qrl.command(Level.FAST, of(qrl, "1.0"), good)
    del shop.objects["replicasets"]["web-6d4cf562"]
    assert [release.id for release in qrl.known()] == ["1.0", "1.2"]
    with pytest.raises(TargetError, match=r"Deployment web has no ReplicaSet of 1.1 any more"):
        qrl.command(Level.FAST, live, good)
    shop.objects["deployments"]["api"]["metadata"]["annotations"][REVISION] = "9"
    with pytest.raises(TargetError, match="Deployment api is at revision 9, of which there is no ReplicaSet yet"):
        qrl.live()


@pytest.mark.parametrize("answer", ["{}", "[]", '{"items": [{"kind": "Deployment"}]}', "no json", "null"])
def test_odd_answer_is_an_error(shop: Cluster, tmp_path: Path, answer: str) -> None:
    """Whatever kubectl prints, what is not understood is told and never taken for a release."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    kubectl.chmod(0o755)
    with pytest.raises(TargetError, match=r"what cannot be understood|what is no JSON"):
        target(shop, tmp_path, kubectl=kubectl).live()


def test_failed_undo_ends_it(shop: Cluster, tmp_path: Path) -> None:
    """What kubectl refuses, here for a paused Deployment, is its exit code, and what follows is not done."""
    shop.objects["deployments"]["api"]["spec"]["paused"] = True
    qrl = target(shop, tmp_path)
    done = run(qrl.command(Level.FAST, qrl.live(), of(qrl, "1.1")))
    assert (done.returncode, shop.writes) == (1, [])
    assert "paused" in done.stderr
    assert done.stdout.endswith("ended with exit code 1; nothing more is done\n")


def test_faults_are_sentences(shop: Cluster, tmp_path: Path) -> None:
    """All is well, or it is said that Deployments may not be changed, that one is paused, that there is no kubectl."""
    qrl = target(shop, tmp_path)
    assert faults(qrl) == ()
    shop.objects["deployments"]["web"]["spec"]["paused"] = True
    assert faults(qrl) == ("Deployment web is paused, and kubectl undoes no paused one",)
    shop.allowed = False
    assert faults(qrl)[0].startswith(f"Deployments of shop cannot be changed: {KUBECTL} ended with exit code 1: no")
    absent = target(shop, tmp_path, kubectl="/absent/kubectl")
    assert faults(absent)[0] == "/absent/kubectl: No such file or directory"


@pytest.mark.parametrize(
    "changes",
    [{"deployments": []}, {"deployments": ["-A"]}, {"namespace": "--all"}, {"release_label": "x=y"}, {"context": ""}],
)
def test_name_that_is_none_is_no_configuration(shop: Cluster, tmp_path: Path, changes: dict[str, Any]) -> None:
    """What could be an option, or is no name, is refused when the configuration is read."""
    with pytest.raises(ValidationError):
        target(shop, tmp_path, **changes)
