"""Manifests of Kubernetes that hold Deployments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from receiver.config.targets import POD_TEMPLATE_HASH, ClusterName
from receiver.inspection.cluster import access, program
from receiver.inspection.found import FittingTarget, Place, Setting, below, documents, fits

VERSION = "app.kubernetes.io/version"
_FILES = 100
_FILL_IN = "the label of their pods that is the same in one release and another in the next; they have none in common"


def kubernetes(place: Place) -> FittingTarget | None:
    """Where manifests hold Deployments; those of the namespace that has most of them are taken."""
    deployments = [(file, one) for file in _files(place.directory) for one in documents(file) if _is_deployment(one)]
    if not deployments:
        return None
    namespaces = [below(one, "metadata", "namespace") for _, one in deployments]
    namespace = max(namespaces, key=namespaces.count)
    chosen = [both for both, where in zip(deployments, namespaces, strict=True) if where == namespace]
    names = tuple(dict.fromkeys(str(below(one, "metadata", "name")) for _, one in chosen))
    files = sorted({place.here(file) for file, _ in chosen})
    settings = (*access(place, namespace), Setting("deployments", names), *_label([one for _, one in chosen], names))
    because = f"{', '.join(files)} has the Deployments {', '.join(names)}"
    return FittingTarget("kubernetes", because, (*settings, program("kubectl", "/usr/bin/kubectl")))


def _files(directory: Path) -> Iterator[Path]:
    for name in ("", "k8s", "kubernetes", "manifests", "deploy"):
        for kind in ("*.yaml", "*.yml"):
            yield from sorted((directory / name).glob(kind))[:_FILES]


def _is_deployment(document: dict[str, Any]) -> bool:
    return document.get("kind") == "Deployment" and fits(below(document, "metadata", "name"), ClusterName)


def _label(deployments: list[dict[str, Any]], names: tuple[str, ...]) -> tuple[Setting, ...]:
    """The label that names the release; one Deployment alone needs none."""
    labels = [below(one, "spec", "template", "metadata", "labels") for one in deployments]
    if all(below(one, VERSION) is not None for one in labels):
        return (Setting("release_label", VERSION),)
    if len(names) == 1:
        return (Setting("release_label", POD_TEMPLATE_HASH, "Kubernetes' own, enough for one Deployment alone."),)
    return (Setting("release_label", VERSION, to_do=_FILL_IN),)
