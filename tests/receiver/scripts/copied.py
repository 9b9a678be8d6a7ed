"""The reference scripts as an operator has them: copied beside settings for a deployment in the `releases` layout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from receiver.commands.scripts import SHIPPED

RESTART = 'readlink "$app/current" >> "$app/restarts"'


class Scripts:
    """A deployment with three complete releases, r2 live, and the four scripts for it."""

    def __init__(self, directory: Path) -> None:
        self.app = directory / "srv"
        for number in ("1", "2", "3"):
            (self.app / "releases" / f"r{number}").mkdir(parents=True)
            (self.app / "releases" / f"r{number}" / "REVISION").write_text(number * 40 + "\n")
        (self.app / "current").symlink_to("releases/r2")
        self.directory = directory / "rollback" / "scripts"
        shutil.copytree(SHIPPED, self.directory)
        self.settings = self.directory / "settings.sh"
        self.set(restart=RESTART)

    def set(self, *, restart: str = RESTART, more: str = "") -> None:
        """Write the settings; `more` is shell as well."""
        self.settings.write_text(
            f"app={self.app}\nverify_within=30\nrestart() {{\n{restart}\n}}\nstop() {{ echo stopped >> $app/steps; }}\n"
            f"check() {{ true; }}\nback_up() {{ : ; }}\ntake_database_back() {{ return 1; }}\n{more}\n"
        )

    def run(self, name: str, *options: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of them in an environment like the agent's."""
        return subprocess.run(
            [self.directory / name, *options],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **environment},
            input=answer,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def live(self) -> str:
        """Where `current` points."""
        return (self.app / "current").readlink().name

    @property
    def restarted(self) -> list[str]:
        """Where `current` pointed each time the services were restarted."""
        restarts = self.app / "restarts"
        return restarts.read_text().split() if restarts.exists() else []
