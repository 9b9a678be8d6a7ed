"""Makes versions of the sample deployment as commits, and release directories of them, like Capistrano."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from demo.places import REPOSITORY, Places


class Fault(StrEnum):
    """What is wrong with a bad release; each is a patch of the same name in demo/faults/."""

    BROKEN_START = "broken_start"
    ERRORS_30_PERCENT = "errors_30_percent"
    AUTHENTICATION_BROKEN = "authentication_broken"
    PAYMENT_BROKEN = "payment_broken"
    MIGRATION_FAILED = "migration_failed"
    DATABASE_BROKEN = "database_broken"
    MINOR_IMPACT_WORSENING = "minor_impact_worsening"
    WIDE_IMPACT = "wide_impact"
    ELEVATED_ERROR_RATE = "elevated_error_rate"
    MINOR_IMPACT = "minor_impact"
    USER_INTERFACE_BROKEN = "user_interface_broken"
    SLOW_RESPONSES = "slow_responses"


@dataclass(frozen=True, slots=True)
class Release:
    """A directory below releases/, and the commit that it was made from."""

    id: str
    commit: str


# A user's own Git configuration (signing, hooks, templates) must not reach these commits.
_GIT_ENVIRONMENT = {
    "PATH": os.defpath,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "QRL developers",
    "GIT_AUTHOR_EMAIL": "qrl@rollback-agent.example",
    "GIT_COMMITTER_NAME": "QRL developers",
    "GIT_COMMITTER_EMAIL": "qrl@rollback-agent.example",
}


class Releases:
    """The releases of one sample deployment: `releases/<id>/`, `current`, `shared/`."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._directory = places.deployment / "releases"
        self._current = places.deployment / "current"

    def make(self, fault: Fault | None = None) -> Release:
        """Lay out the good version, or a commit with `fault` on top of it; it is not live yet."""
        self._good_version()
        if fault is not None:
            self._git("apply", str(REPOSITORY / "demo" / "faults" / f"{fault}.patch"))
            self._git("add", "--all")
            self._git("commit", "--quiet", "--message", f"Widen the lattice ({fault})")
        return self._lay_out(self._git("rev-parse", "HEAD"))

    def switch(self, release: Release) -> None:
        """Make the release the live one; there is no instant without a live one."""
        new = self._current.with_name("current.new")
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / release.id)
        new.replace(self._current)

    def path(self, release: Release) -> Path:
        """Where the release's files are."""
        return self._directory / release.id

    def live(self) -> str | None:
        """The id of the live release, read from the link."""
        try:
            return self._current.readlink().name
        except FileNotFoundError:
            return None

    def switched_at(self) -> float:
        """When the live release became live, in Unix seconds."""
        return self._current.lstat().st_mtime

    def _good_version(self) -> None:
        sources = self._places.sources
        if not sources.exists():
            shutil.copytree(REPOSITORY / "demo" / "sample", sources, ignore=shutil.ignore_patterns("__pycache__"))
            self._git("init", "--quiet", "--initial-branch=main")
            self._git("add", "--all")
            self._git("commit", "--quiet", "--message", "Release the lattice")
        self._git("checkout", "--quiet", "--detach", "main")

    def _lay_out(self, commit: str) -> Release:
        self._directory.mkdir(parents=True, exist_ok=True)
        number = len(list(self._directory.iterdir())) + 1
        release = Release(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-v{number}", commit)
        archive = self._places.root / f"{release.id}.tar"
        self._git("archive", f"--output={archive}", commit)
        directory = self.path(release)
        directory.mkdir()
        subprocess.run(("tar", "--extract", f"--file={archive}", f"--directory={directory}"), check=True)
        archive.unlink()
        (directory / "REVISION").write_text(f"{commit}\n")
        return release

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ("git", *arguments),
            cwd=self._places.sources,
            env=_GIT_ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()
