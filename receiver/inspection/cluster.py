"""What both targets in a cluster need: a kubeconfig and the program that is asked."""

from __future__ import annotations

import shutil

from receiver.config.targets import ClusterName
from receiver.inspection.found import UNFINISHED, Place, Setting, fits


def access(place: Place, namespace: object) -> tuple[Setting, ...]:
    """The kubeconfig and the namespace."""
    if place.kubeconfig.is_file():
        kubeconfig = Setting(
            "kubeconfig", str(place.kubeconfig), "One of the agent's own, with no more rights than it needs."
        )
    else:
        kubeconfig = Setting("kubeconfig", f"{UNFINISHED}/kubeconfig", to_do="the kubeconfig that the agent is to use")
    if fits(namespace, ClusterName):
        return kubeconfig, Setting("namespace", str(namespace))
    return kubeconfig, Setting("namespace", "default", to_do="the namespace, if it is another one")


def program(name: str, usual: str) -> Setting:
    """Where the program is on this machine."""
    found = shutil.which(name)
    return Setting(name, found) if found else Setting(name, usual, to_do=f"{name} is not on this machine; install it")
