"""The `compose` target: containers whose images have the release as their tag, which a variable of a file names."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from receiver.config.targets import ComposeTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets.outside import ask, commit_of, is_release_id, only_if_live, require_ids

_SED = "/usr/bin/sed"


class ComposeProject:
    """One project of docker compose."""

    def __init__(self, config: ComposeTarget) -> None:
        self._config = config
        self._file = config.env_file or config.directory / ".env"
        of_project = ("--project-directory", str(config.directory), "--env-file", str(self._file))
        self._compose = (str(config.docker), "compose", *of_project)

    def live(self) -> Release:
        """The release that the file names and all containers run, since the last was made; raises TargetError."""
        release = self._written()
        running: dict[str, set[str]] = {image: set() for image in self._config.images}
        made = []
        for container in self._containers():
            image, tag, created = container
            if image in running:
                running[image].add(tag)
                made.append(created)
        other = [
            f"{image} is {', '.join(sorted(tags)) or 'not there'}"
            for image, tags in running.items()
            if tags != {release}
        ]
        if other:
            raise TargetError(f"{self._file} says {release}, but of the containers {'; '.join(other)}")
        return Release(release, commit_of(release), max(made))

    def known(self) -> tuple[Release, ...]:
        """The releases of which all images are on this machine; raises TargetError."""
        question = (self._compose[0], "image", "ls", "--format", "{{.Repository}} {{.Tag}}")
        lines = ask(question, self._config.read_timeout).splitlines()
        tags: dict[str, set[str]] = {image: set() for image in self._config.images}
        for repository, _, tag in (line.partition(" ") for line in lines):
            if repository in tags:
                tags[repository].add(tag)
        names = sorted(set.intersection(*tags.values()))
        return tuple(Release(name, commit_of(name)) for name in names if is_release_id(name))

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """Write the target into the file, then have the containers made anew from images that are here."""
        if level is Level.FULL:
            raise TargetError("a full rollback of the compose target is not configured; a person must do it by hand")
        require_ids(live, target)
        name, file = self._config.variable, str(self._file)
        question = (_SED, "--quiet", f"s/^{name}=//p", file)
        write = (_SED, "--in-place", f"s/^{name}=.*/{name}={target.id}/", file)
        up = (*self._compose, "up", "--detach", "--no-build", "--pull", "never")
        return only_if_live(live.id, question, (write, up))

    def programs(self, _level: Level) -> tuple[str, ...]:
        """The docker, and what writes the file."""
        return (self._compose[0], _SED)

    def time_limit(self, _level: Level) -> float:
        """Seconds that making the containers anew may take."""
        return self._config.timeout

    def faults(self) -> tuple[str, ...]:
        """Nothing beyond what all targets are asked."""
        return ()

    def _written(self) -> str:
        """The release that the file names."""
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise TargetError(f"{self._file}: cannot be read: {error}") from error
        prefix = f"{self._config.variable}="
        found = [line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)]
        if len(found) != 1 or not is_release_id(found[0]):
            raise TargetError(f"{self._file}: needs one line {prefix}RELEASE, without quotes")
        return found[0]

    def _containers(self) -> list[tuple[str, str, float]]:
        """Image, tag and time of creation (Unix seconds) of each container, also of those that have stopped."""
        answer = ask((*self._compose, "ps", "--all", "--format", "json"), self._config.read_timeout)
        try:
            # Until 2.20 one list, since then an object a line.
            told = json.loads(answer) if answer.startswith("[") else [json.loads(line) for line in answer.splitlines()]
            return [_container(one) for one in told]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TargetError(f"{self._compose[0]} told of containers what cannot be understood: {error!r}") from error


def _container(told: Any) -> tuple[str, str, float]:
    image, _, tag = told["Image"].rpartition(":")
    # As Go writes a time: 2026-11-20 12:00:00 +0000 UTC
    moment = " ".join(told["CreatedAt"].split()[:3])
    return image, tag, datetime.strptime(moment, "%Y-%m-%d %H:%M:%S %z").timestamp()
