"""The `helm` target: one release of helm, rolled back by `helm rollback`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from receiver.config.targets import HelmTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets.outside import ask_json, commit_of, only_if_live, require_ids

_ROLLED_BACK = re.compile(r"Rollback to (\d{1,9})")
_CAN_BE_LIVE = ("deployed", "failed")
_CAN_BE_GONE_BACK_TO = ("deployed", "superseded")


@dataclass(frozen=True, slots=True)
class _Revision:
    """One line of the history; `updated` is in Unix seconds."""

    number: int
    status: str
    app_version: str
    description: str
    updated: float


class HelmRelease:
    """One release of helm; a release of ours is named by the revision in which it was first there."""

    def __init__(self, config: HelmTarget) -> None:
        self._config = config
        context = ("--kube-context", config.context) if config.context else ()
        of_cluster = ("--kubeconfig", str(config.kubeconfig), *context, "--namespace", config.namespace)
        self._helm = (str(config.helm), *of_cluster)

    def live(self) -> Release:
        """The newest revision, by the name of the one that it is the same as; raises TargetError."""
        return self._live(self._history())

    def known(self) -> tuple[Release, ...]:
        """The live release, and all that helm could go back to; raises TargetError."""
        history = self._history()
        live = self._live(history)
        found = {
            origin: Release(origin, commit_of(revision.app_version))
            for revision in history
            if revision.status in _CAN_BE_GONE_BACK_TO and (origin := _origin(revision, history)) != live.id
        }
        return (*found.values(), Release(live.id, live.commit))

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """Roll back to the newest revision that is the target, and wait until it is ready; raises TargetError."""
        if level is Level.FULL:
            raise TargetError("a full rollback of the helm target is not configured; a person must do it by hand")
        require_ids(live, target)
        history = self._history()
        if self._live(history).id != live.id:
            raise TargetError(f"{live.id} is no longer live")
        usable = (revision for revision in history if revision.status in _CAN_BE_GONE_BACK_TO)
        numbers = [revision.number for revision in usable if _origin(revision, history) == target.id]
        if not numbers:
            raise TargetError(f"helm's history of {self._config.release} has no {target.id} any more")
        name, timeout = self._config.release, f"{self._config.timeout:.0f}s"
        question = (*self._helm, "get", "all", name, "--template", "{{.Release.Version}}")
        roll_back = (*self._helm, "rollback", name, str(max(numbers)), "--wait", "--timeout", timeout)
        return only_if_live(str(history[-1].number), question, (roll_back,))

    def programs(self, _level: Level) -> tuple[str, ...]:
        """The helm."""
        return (self._helm[0],)

    def time_limit(self, _level: Level) -> float:
        """Seconds that rolling back may take."""
        return self._config.timeout

    def faults(self) -> tuple[str, ...]:
        """Nothing beyond what all targets are asked: helm has no question for what it may do."""
        return ()

    def _live(self, history: tuple[_Revision, ...]) -> Release:
        newest = history[-1]
        if newest.status not in _CAN_BE_LIVE:
            told = f"revision {newest.number} of {self._config.release} is {newest.status}"
            raise TargetError(f"{told}: helm is at work on it, or was ended meanwhile")
        return Release(_origin(newest, history), commit_of(newest.app_version), newest.updated)

    def _history(self) -> tuple[_Revision, ...]:
        """All revisions that helm still has, oldest first, at least one; raises TargetError."""
        question = (*self._helm, "history", self._config.release, "--output", "json")
        told = ask_json(question, self._config.read_timeout)
        try:
            history = [
                _Revision(
                    number=int(line["revision"]),
                    status=str(line["status"]),
                    app_version=str(line["app_version"]),
                    description=str(line["description"]),
                    updated=datetime.fromisoformat(line["updated"]).timestamp(),
                )
                for line in told
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise TargetError(f"{self._helm[0]} told a history that cannot be understood: {error!r}") from error
        if not history:
            raise TargetError(f"helm knows no revision of {self._config.release}")
        return tuple(sorted(history, key=lambda revision: revision.number))


def _origin(revision: _Revision, history: tuple[_Revision, ...]) -> str:
    """The name of the revision that this one is the same as: helm gives one that is gone back to a new number."""
    descriptions = {one.number: one.description for one in history}
    number = revision.number
    # Towards the past only, so that it ends whatever the descriptions say.
    while (found := _ROLLED_BACK.fullmatch(descriptions.get(number, ""))) and int(found[1]) < number:
        number = int(found[1])
    return f"revision-{number}"
