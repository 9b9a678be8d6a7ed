"""The versions of Prometheus and Alertmanager that the tests meet: the system's, and those that .tools/ holds."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools"
PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
MISSING = "missing: "
"""How scripts/prometheus-versions begins what it says of a release that it could not get."""


@dataclass(frozen=True, slots=True)
class Version:
    """Prometheus and Alertmanager of one Debian release; `system` is what comes first in PATH."""

    release: str

    def __str__(self) -> str:
        return self.release

    @property
    def told(self) -> str:
        """The versions of its packages, or why they are missing."""
        if self.release == "system":
            return _of_the_system()
        file = TOOLS / "versions"
        lines = file.read_text().splitlines() if file.exists() else []
        found = dict(line.split("\t", 1) for line in lines)
        return found.get(self.release, f"{MISSING}scripts/prometheus-versions has not been run")

    @property
    def is_missing(self) -> bool:
        return self.told.startswith(MISSING)

    def program(self, name: str) -> str:
        """What to start for a program's name."""
        return name if self.release == "system" or name not in PROGRAMS else str(TOOLS / self.release / name)

    def run(self, *argv: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of its programs, which reads `text`, for ten minutes at most; gives its exit code and output."""
        name, *arguments = map(str, argv)
        command = (self.program(name), *arguments)
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=600, check=False)


SYSTEM = Version("system")
VERSIONS = (SYSTEM, Version("trixie"), Version("sid"))


@cache
def _of_the_system() -> str:
    """The first line of what the system's programs say of themselves, without the build."""
    told = []
    for program in ("prometheus", "prometheus-alertmanager"):
        try:
            answer = subprocess.run((program, "--version"), capture_output=True, text=True, timeout=30, check=True)
        except FileNotFoundError:
            return f"{MISSING}{program} is not installed"
        told.append(f"{program} {answer.stdout.split()[2]}")
    return ",".join(told)
