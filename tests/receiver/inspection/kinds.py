"""Directories of every kind that `init` knows, as their owners leave them, and what it is to make of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMPOSE = """services:
  web: {image: "registry.example:5000/qrl-web:${QRL_RELEASE:-r1}"}
  api: {image: "registry.example:5000/qrl-api:$QRL_RELEASE"}
  database: {image: "postgres:16.4"}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: {name}{more}}}}}}}}}
"""


@dataclass(frozen=True)
class Kind:
    """One kind: what makes it, which target it is, which of its keys have which values, what is left to a person."""

    make: Callable[[Path, Path], object]
    target: str
    settings: dict[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()


def release(directory: Path, name: str = "r1") -> None:
    (directory / "releases" / name).mkdir(parents=True)
    (directory / "releases" / name / "REVISION").write_text("c" * 40)


def releases(directory: Path, _units: Path) -> None:
    for name in ("r1", "r2"):
        release(directory, name)
    (directory / "current").symlink_to("releases/r2")
    (directory / "shared" / "log").mkdir(parents=True)
    (directory / "shared" / "log" / "web.access.log").touch()
    (directory / "shared" / "no.db").write_text("this is none")
    with closing(sqlite3.connect(directory / "shared" / "qrl.db")) as database:
        database.execute("create table account (name text)")


def releases_with_units(directory: Path, units: Path) -> None:
    releases(directory, units)
    for name, runs in (
        ("web", f"{directory}/current/bin/run"),
        ("api", f"{directory}/current/api"),
        ("other", "/bin/x"),
    ):
        (units / f"qrl-{name}.service").write_text(f"[Service]\nExecStart={runs}\n")
    (units / "qrl-beside.service").write_text(f"[Service]\nExecStart={directory}-beside/current/bin/run\n")


def template_units(directory: Path, units: Path) -> None:
    release(directory)
    (units / "qrl-web@.service").write_text(f"[Service]\nExecStart={directory}/releases/%i/bin/run\n")


def scripts(directory: Path, _units: Path) -> None:
    (directory / "rollback" / "scripts").mkdir(parents=True)
    for name in ("emergency-rollback.sh", "verify-rollback.sh", "backup-current-state.sh"):
        (directory / "rollback" / "scripts" / name).touch()


def checkout(directory: Path, _units: Path) -> None:
    (directory / ".git").mkdir()


def file(name: str, *content: str) -> Callable[[Path, Path], object]:
    def make(directory: Path, _units: Path) -> None:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("---\n".join(content))

    return make


def deployments(*names: str, more: str = "") -> Callable[[Path, Path], object]:
    return file("k8s/all.yaml", *(DEPLOYMENT.format(name=name, more=more) for name in names), "kind: Service\n")


VERSIONED = {"release_label": "app.kubernetes.io/version", "namespace": "shop", "deployments": ("web", "api")}
KINDS = {
    "releases": Kind(releases, "releases", left=("restart",)),
    "releases_with_units": Kind(
        releases_with_units,
        "releases",
        {"restart": ("/usr/bin/systemctl", "restart", "qrl-api.service", "qrl-web.service")},
    ),
    "template_units": Kind(template_units, "systemd", {"units": ("qrl-web@.service",)}),
    "scripts": Kind(scripts, "script", left=("directory",)),
    "compose": Kind(
        file("compose.yaml", COMPOSE),
        "compose",
        {"variable": "QRL_RELEASE", "images": ("registry.example:5000/qrl-api", "registry.example:5000/qrl-web")},
    ),
    "compose_without_variable": Kind(
        file("docker-compose.yml", "services: {web: {build: .}, db: {image: 'postgres:16'}}\n"),
        "compose",
        left=("variable",),
    ),
    "compose_that_is_no_yaml": Kind(file("compose.yml", "services: [\n"), "compose", left=("variable",)),
    "helm": Kind(
        file("Chart.yaml", "name: shop\nversion: 1.2.3\n"),
        "helm",
        {"release": "shop"},
        ("kubeconfig", "namespace", "release", "helm"),
    ),
    "kubernetes": Kind(
        deployments("web", "api", more=", app.kubernetes.io/version: r1"), "kubernetes", VERSIONED, ("kubeconfig",)
    ),
    "kubernetes_without_version": Kind(
        deployments("web", "api"), "kubernetes", VERSIONED, ("kubeconfig", "release_label")
    ),
    "kubernetes_alone": Kind(deployments("web"), "kubernetes", {"release_label": "pod-template-hash"}, ("kubeconfig",)),
    "git": Kind(checkout, "script", left=("directory",)),
    "nothing": Kind(lambda directory, _: directory, "releases", left=("restart",)),
}
