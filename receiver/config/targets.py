"""What is rolled back, and through what: one section for each adapter in receiver/targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from configfile import Command, FilePath, Section
from receiver.config_values import Period

POD_TEMPLATE_HASH = "pod-template-hash"
"""The label by which Kubernetes itself tells the ReplicaSets of one Deployment apart."""
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:/@-]{0,251}[A-Za-z0-9])?$")]
"""A name in a cluster or a kubeconfig; no option begins like it."""
LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,315}[A-Za-z0-9])?$")]

TemplateUnit = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,99}@\.(service|socket|target)$")
]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


class FullRollback(Section):
    """How the database goes back with the code; a person is always asked first."""

    database: Command
    stop: Command | None = None
    timeout: Period = 1800.0


class ReleasesTarget(Section):
    """The layout of Capistrano: `releases/<id>`, `current`, `shared/`."""

    path: FilePath
    restart: Command
    timeout: Period = 300.0
    full: FullRollback | None = None


class ScriptTarget(Section):
    """A directory with the operations guide's three scripts, and one that tells the releases."""

    directory: FilePath
    timeout: Period = 900.0
    read_timeout: Period = 10.0


class KubernetesTarget(Section):
    """Deployments of one namespace that are released together."""

    kubeconfig: FilePath
    context: ClusterName | None = None
    namespace: ClusterName
    deployments: tuple[ClusterName, ...] = Field(min_length=1)
    release_label: LabelName = POD_TEMPLATE_HASH
    kubectl: FilePath = Path("/usr/bin/kubectl")
    timeout: Period = 600.0
    read_timeout: Period = 15.0

    @model_validator(mode="after")
    def _one_label_for_all(self) -> Self:
        if len(set(self.deployments)) != len(self.deployments):
            raise ValueError("deployments names one of them twice")
        if len(self.deployments) > 1 and self.release_label == POD_TEMPLATE_HASH:
            raise ValueError("several Deployments need release_label: the label of their pods that names the release")
        return self


class HelmTarget(Section):
    """A release of helm."""

    kubeconfig: FilePath
    context: ClusterName | None = None
    namespace: ClusterName
    release: ClusterName
    helm: FilePath = Path("/usr/local/bin/helm")
    timeout: Period = 600.0
    read_timeout: Period = 15.0


class SystemdTarget(Section):
    """Template units whose instances are named by their release."""

    path: FilePath
    units: tuple[TemplateUnit, ...] = Field(min_length=1)
    enabled_in: FilePath = Path("/etc/systemd/system")
    systemctl: FilePath = Path("/usr/bin/systemctl")
    timeout: Period = 300.0
    read_timeout: Period = 10.0


class ComposeTarget(Section):
    """A project of docker compose whose images have the release as their tag."""

    directory: FilePath
    env_file: FilePath | None = None
    variable: VariableName
    images: tuple[ClusterName, ...] = Field(min_length=1)
    docker: FilePath = Path("/usr/bin/docker")
    timeout: Period = 300.0
    read_timeout: Period = 15.0


class Target(Section):
    """Exactly one adapter."""

    releases: ReleasesTarget | None = None
    script: ScriptTarget | None = None
    kubernetes: KubernetesTarget | None = None
    helm: HelmTarget | None = None
    systemd: SystemdTarget | None = None
    compose: ComposeTarget | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        chosen = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(chosen) != 1:
            known = ", ".join(type(self).model_fields)
            given = " and ".join(chosen) if chosen else "none"
            raise ValueError(f"a deployment has exactly one target, here is {given}; known are {known}")
        return self

    @property
    def adapter(self) -> Adapter:
        """The section that is there."""
        every = (self.releases, self.script, self.kubernetes, self.helm, self.systemd, self.compose)
        return next(one for one in every if one is not None)


Adapter = ReleasesTarget | ScriptTarget | KubernetesTarget | HelmTarget | SystemdTarget | ComposeTarget
