"""The `kubernetes` target: Deployments that are released together, rolled back by `kubectl rollout undo`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.config.targets import KubernetesTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets.outside import ask, ask_json, commit_of, is_release_id, only_if_live, require_ids

_REVISION = "deployment.kubernetes.io/revision"
_COLUMNS = r"custom-columns=NAME:.metadata.name,REVISION:.metadata.annotations.deployment\.kubernetes\.io/revision"


@dataclass(frozen=True, slots=True)
class _Revision:
    """What a Deployment could run: one of its ReplicaSets. `created` is in Unix seconds."""

    number: int
    release: str | None
    image: str
    created: float


@dataclass(frozen=True, slots=True)
class _Deployment:
    """A Deployment as the cluster tells it; `rolled_out` is when its last rollout ended (Unix seconds)."""

    name: str
    number: int
    revisions: tuple[_Revision, ...]
    rolled_out: float | None
    paused: bool

    def live(self) -> _Revision:
        """The revision that it runs, or rolls out; raises TargetError."""
        for revision in self.revisions:
            if revision.number == self.number:
                return revision
        raise TargetError(f"Deployment {self.name} is at revision {self.number}, of which there is no ReplicaSet yet")

    def newest(self, release: str) -> _Revision | None:
        """The newest revision that is this release."""
        fitting = (one for one in self.revisions if one.release == release)
        return max(fitting, key=lambda one: one.number, default=None)


class Deployments:
    """The Deployments of one namespace that are one deployment of ours."""

    def __init__(self, config: KubernetesTarget) -> None:
        self._config = config
        context = ("--context", config.context) if config.context else ()
        # Without a cache directory: the agent's user may have no home, and the cluster is asked rarely.
        self._kubectl = (
            str(config.kubectl),
            "--kubeconfig",
            str(config.kubeconfig),
            *context,
            "--namespace",
            config.namespace,
            "--cache-dir",
            "/dev/null",
        )

    def live(self) -> Release:
        """The release that all Deployments run; raises TargetError, also where they run several."""
        return self._live(self._read())

    def known(self) -> tuple[Release, ...]:
        """The releases of which every Deployment still has a ReplicaSet; raises TargetError."""
        first, *others = self._read()
        names = dict.fromkeys(one.release for one in first.revisions if one.release)
        found = []
        for name in names:
            revision = first.newest(name)
            if revision and is_release_id(name) and all(other.newest(name) for other in others):
                found.append(Release(name, _commit(revision.image)))
        return tuple(found)

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """Undo each rollout to the revision that is the target, then wait for all; raises TargetError."""
        if level is Level.FULL:
            raise TargetError("a full rollback of the kubernetes target is not configured; a person must do it by hand")
        require_ids(live, target)
        state = self._read()
        if self._live(state).id != live.id:
            raise TargetError(f"{live.id} is no longer live")
        undo, wait = [], []
        for deployment in state:
            revision = deployment.newest(target.id)
            if revision is None:
                raise TargetError(f"Deployment {deployment.name} has no ReplicaSet of {target.id} any more")
            rollout, name = (*self._kubectl, "rollout"), f"deployment/{deployment.name}"
            if revision.number != deployment.number:
                undo.append((*rollout, "undo", name, f"--to-revision={revision.number}"))
            wait.append((*rollout, "status", name, f"--timeout={self._config.timeout:.0f}s"))
        question = (
            *self._kubectl,
            "get",
            "deployments",
            *self._config.deployments,
            "--no-headers",
            "--output",
            _COLUMNS,
        )
        expected = " ".join(f"{deployment.name} {deployment.number}" for deployment in state)
        return only_if_live(expected, question, (*undo, *wait))

    def programs(self, _level: Level) -> tuple[str, ...]:
        """The kubectl."""
        return (self._kubectl[0],)

    def time_limit(self, _level: Level) -> float:
        """Seconds that undoing and rolling out may take."""
        return self._config.timeout

    def faults(self) -> tuple[str, ...]:
        """Whether Deployments may be changed, and none is paused."""
        try:
            ask((*self._kubectl, "auth", "can-i", "patch", "deployments.apps"), self._config.read_timeout)
            paused = [deployment.name for deployment in self._read() if deployment.paused]
        except TargetError as error:
            return (f"Deployments of {self._config.namespace} cannot be changed: {error}",)
        return tuple(f"Deployment {name} is paused, and kubectl undoes no paused one" for name in paused)

    def _live(self, state: tuple[_Deployment, ...]) -> Release:
        revisions = {deployment.name: deployment.live() for deployment in state}
        releases = {revision.release for revision in revisions.values()}
        release = releases.pop()
        if release is None or releases or not is_release_id(release):
            told = ", ".join(f"{name}: {revision.release or 'none'}" for name, revision in revisions.items())
            raise TargetError(f"no one release is live by the label {self._config.release_label} ({told})")
        since = max(deployment.rolled_out or revisions[deployment.name].created for deployment in state)
        return Release(release, _commit(revisions[state[0].name].image), since)

    def _read(self) -> tuple[_Deployment, ...]:
        question = (*self._kubectl, "get", "deployments,replicasets", "--output", "json")
        document = ask_json(question, self._config.read_timeout)
        try:
            items = document["items"]
            deployments = {one["metadata"]["name"]: one for one in items if one["kind"] == "Deployment"}
            missing = [name for name in self._config.deployments if name not in deployments]
            if missing:
                raise TargetError(f"namespace {self._config.namespace} has no Deployment {', '.join(missing)}")
            sets = [one for one in items if one["kind"] == "ReplicaSet"]
            return tuple(self._deployment(deployments[name], sets) for name in self._config.deployments)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TargetError(f"{self._kubectl[0]} told of Deployments what cannot be understood: {error!r}") from error

    def _deployment(self, told: Any, sets: list[Any]) -> _Deployment:
        owned = [one for one in sets if told["metadata"]["uid"] in _owners(one)]
        return _Deployment(
            name=told["metadata"]["name"],
            number=int(told["metadata"]["annotations"][_REVISION]),
            revisions=tuple(map(self._revision, owned)),
            rolled_out=max(_rolled_out(told), default=None),
            paused=bool(told["spec"].get("paused")),
        )

    def _revision(self, told: Any) -> _Revision:
        return _Revision(
            number=int(told["metadata"]["annotations"][_REVISION]),
            release=told["metadata"].get("labels", {}).get(self._config.release_label),
            image=told["spec"]["template"]["spec"]["containers"][0]["image"],
            created=_seconds(told["metadata"]["creationTimestamp"]),
        )


def _owners(told: Any) -> Iterator[str]:
    return (owner["uid"] for owner in told["metadata"].get("ownerReferences", ()))


def _rolled_out(told: Any) -> Iterator[float]:
    # The time of creation would not do: a ReplicaSet that is gone back to was made when its release was first live.
    for condition in told.get("status", {}).get("conditions", ()):
        if condition["type"] == "Progressing":
            yield _seconds(condition["lastUpdateTime"])


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _commit(image: str) -> str | None:
    return commit_of(image.rpartition(":")[2])
