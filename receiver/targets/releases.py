"""The `releases` target: `releases/<id>` directories and a `current` link, the layout that Capistrano made common."""

from __future__ import annotations

import json
import os
import sys

from receiver.config.targets import ReleasesTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets import switch_release
from receiver.targets.layout import complete_releases, read_release
from receiver.targets.outside import is_release_id, require_ids


class ReleasesDirectory:
    """One deployment in the `releases` layout."""

    def __init__(self, config: ReleasesTarget) -> None:
        self._path = config.path
        self._restart = config.restart
        self._timeout = config.timeout
        self._full = config.full

    def live(self) -> Release:
        """The release that `current` points to, live since the link was made; raises TargetError."""
        current = self._path / "current"
        try:
            release = switch_release.live_release(self._path)
            # Not the time of its content: a link that was prepared long ago, or copied with its time, is live only now.
            since = current.lstat().st_ctime
        except (OSError, ValueError) as error:
            raise TargetError(f"{current}: cannot be read as the live release: {error}") from error
        if not is_release_id(release):
            raise TargetError(f"{current}: {release!r} is no release id")
        return read_release(self._path, release, since)

    def known(self) -> tuple[Release, ...]:
        """All releases that are complete: a directory with a commit in REVISION; raises TargetError."""
        return complete_releases(self._path)

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """The command that goes from `live` to `target`; raises TargetError where the level is not configured."""
        require_ids(live, target)
        program = switch_release.__file__
        return (
            sys.executable,
            "-I",
            "-S",
            program,
            str(self._path),
            live.id,
            target.id,
            *(self._full_option() if level is Level.FULL else ()),
            "--",
            *self._restart,
        )

    def _full_option(self) -> tuple[str, str]:
        if self._full is None:
            raise TargetError("a full rollback of the releases target is not configured; a person must do it by hand")
        return "--full", json.dumps({"stop": self._full.stop or (), "database": self._full.database})

    def programs(self, level: Level) -> tuple[str, ...]:
        """The restart command's, and those that stop the services and take the database back."""
        full = (self._full.stop or (), self._full.database) if self._full and level is Level.FULL else ()
        return tuple(command[0] for command in (*full, self._restart) if command)

    def time_limit(self, level: Level) -> float:
        """Seconds that switching and restarting, or all of a full rollback, may take."""
        return self._full.timeout if self._full and level is Level.FULL else self._timeout

    def faults(self) -> tuple[str, ...]:
        """Whether the link can be made anew."""
        if os.access(self._path, os.W_OK | os.X_OK):
            return ()
        return (f"{self._path}: the agent may not write there, so `current` cannot be switched",)
