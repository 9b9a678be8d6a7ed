"""The `releases` target: `releases/<id>` directories and a `current` link, the layout that Capistrano made common."""

from __future__ import annotations

import os
import re
import sys

from receiver.config.deployment import ReleasesTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.targets import switch_release

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class ReleasesDirectory:
    """One deployment in the `releases` layout."""

    def __init__(self, config: ReleasesTarget) -> None:
        self._path = config.path
        self._restart = config.restart
        self.timeout = config.timeout
        self.programs: tuple[str, ...] = (config.restart[0],)

    def live(self) -> Release:
        """The release that `current` points to, live since the link was made; raises TargetError."""
        current = self._path / "current"
        try:
            release = switch_release.live_release(self._path)
            # Not the time of its content: a link that was prepared long ago, or copied with its time, is live only now.
            since = current.lstat().st_ctime
        except (OSError, ValueError) as error:
            raise TargetError(f"{current}: cannot be read as the live release: {error}") from error
        if not _ID.fullmatch(release):
            raise TargetError(f"{current}: {release!r} is no release id")
        return self._read(release, since)

    def known(self) -> tuple[Release, ...]:
        """All releases that are complete: a directory with a commit in REVISION; raises TargetError."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._path / "releases") if entry.is_dir())
        except OSError as error:
            raise TargetError(f"{self._path / 'releases'}: cannot be listed: {error.strerror}") from error
        found = (self._read(name, None) for name in names if _ID.fullmatch(name))
        return tuple(release for release in found if release.commit)

    def command(self, level: Level, live: Release, target: Release) -> tuple[str, ...]:
        """The command that goes from `live` to `target`; raises TargetError where the level is not configured."""
        if level is Level.FULL:
            raise TargetError("a full rollback of the releases target is not configured; a person must do it by hand")
        for release in (live, target):
            if not _ID.fullmatch(release.id):
                raise TargetError(f"{release.id!r} is no release id")
        program = switch_release.__file__
        return (
            sys.executable,
            "-I",
            "-S",
            program,
            str(self._path),
            live.id,
            target.id,
            "--",
            *self._restart,
        )

    def _read(self, release: str, live_since: float | None) -> Release:
        try:
            commit = (self._path / "releases" / release / "REVISION").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            commit = ""
        return Release(release, commit if _COMMIT.fullmatch(commit) else None, live_since)
