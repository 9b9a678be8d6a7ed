"""Reads `releases/<id>` directories: a release is complete once it has its commit in REVISION."""

from __future__ import annotations

import os
from pathlib import Path

from receiver.errors import TargetError
from receiver.model import Release
from receiver.targets.outside import commit_of, is_release_id


def complete_releases(path: Path) -> tuple[Release, ...]:
    """All directories of `path`/releases that are complete releases; raises TargetError."""
    try:
        names = sorted(entry.name for entry in os.scandir(path / "releases") if entry.is_dir())
    except OSError as error:
        raise TargetError(f"{path / 'releases'}: cannot be listed: {error.strerror}") from error
    found = (read_release(path, name, None) for name in names if is_release_id(name))
    return tuple(release for release in found if release.commit)


def read_release(path: Path, name: str, live_since: float | None) -> Release:
    """A release with its commit, if it can be read."""
    try:
        commit = (path / "releases" / name / "REVISION").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""
    return Release(name, commit_of(commit), live_since)
