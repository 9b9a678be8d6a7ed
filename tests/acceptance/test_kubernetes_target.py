"""The `kubernetes` target through the whole agent and a real kubectl; only the cluster's API is a stand-in."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.acceptance.stand import stand
from tests.receiver.targets.cluster import Cluster, cluster

NAMES = ("fastapi", "flask")


class RunningRelease:
    """In the place of the link `current`: the release that the first Deployment runs."""

    def __init__(self, shop: Cluster) -> None:
        self._shop = shop

    def readlink(self) -> Path:
        """Its name, as that of a path."""
        labels = self._shop.objects["deployments"][NAMES[0]]["spec"]["template"]["metadata"]["labels"]
        return Path(labels["app.kubernetes.io/version"])


def test_bad_release_of_two_deployments_is_rolled_back(tmp_path: Path) -> None:
    """Both Deployments go back to the good release in one run, which is verified and reported."""
    with cluster() as shop, stand(tmp_path) as here:
        target = {
            "kubectl": shutil.which("kubectl"),
            "kubeconfig": str(shop.kubeconfig(tmp_path)),
            "namespace": "shop",
            "deployments": list(NAMES),
            "release_label": "app.kubernetes.io/version",
        }
        here.write_config(deployment={"target": {"kubernetes": target}, "backup": {}})
        here.services.current, here.services.bad = RunningRelease(shop), {"1.1"}
        for name in NAMES:
            shop.deploy(name, "1.0")
        here.start_prometheus()
        here.start_agent()
        here.await_good("1.0")
        for name in NAMES:
            shop.deploy(name, "1.1")
        here.await_firing()
        here.notify()

        run = here.await_run()

        assert (run["result"], run["plan"]["live_release"], run["plan"]["target_release"]) == ("restored", "1.1", "1.0")
        assert shop.writes == [f"PATCH /apis/apps/v1/namespaces/shop/deployments/{name}" for name in NAMES]
        assert [shop.revision(name) for name in NAMES] == [3, 3]
        assert 'rollback_held_release_info{deployment="qrl",release="1.1"} 1.0' in here.metrics()
