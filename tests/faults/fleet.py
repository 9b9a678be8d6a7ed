"""Many small deployments whose commands count for themselves how often they ran."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.kills import Command

GOOD, BAD = "20261101-1200-good", "20261102-1200-bad"
_SCRIPT = '#!/bin/sh\necho "$ROLLBACK_PLAN" >> {counted}\n'
_REST = {Command.SLOW: "sleep 1\n", Command.FAILS: "exit 3\n"}


@dataclass
class Deployment:
    """One deployment in the `releases` layout; how often it went wrong, and whether that is known to the agent."""

    name: str
    directory: Path
    autonomy: str
    command: Command = Command.MENDS
    breaks: int = 0
    is_told: bool = True

    def __post_init__(self) -> None:
        for number, release in enumerate((GOOD, BAD)):
            (self.directory / "releases" / release).mkdir(parents=True)
            (self.directory / "releases" / release / "REVISION").write_text(f"{number}" * 40 + "\n")
        (self.directory / "shared").mkdir()
        (self.directory / "shared" / "data").write_text(self.name)
        self.go_wrong(Command.MENDS, GOOD)

    def go_wrong(self, command: Command, release: str = BAD) -> None:
        """Ship a release, whose rollback will go like this."""
        self.command = command
        self.restart.write_text(_SCRIPT.format(counted=self.counted) + _REST.get(command, ""))
        self.restart.chmod(0o755)
        new = self.directory / "new"
        new.symlink_to(f"releases/{release}")
        new.rename(self.directory / "current")
        if release == BAD:
            self.breaks += 1
            self.is_told = False

    @property
    def restart(self) -> Path:
        return self.directory / "restart.sh"

    @property
    def counted(self) -> Path:
        """A line a start of the command, which the command itself has written."""
        return self.directory / "counted"

    @property
    def live(self) -> str:
        """The id of the live release."""
        return (self.directory / "current").readlink().name

    @property
    def is_well(self) -> bool:
        """What its health checks say."""
        return self.live == GOOD and not (self.command is Command.HELPS_NOT and self.breaks)

    def effects(self) -> Counter[str]:
        """How often the command was started, by the run that did it."""
        lines = self.counted.read_text().split() if self.counted.exists() else []
        return Counter(Path(line).parent.name for line in lines)

    def settings(self) -> dict[str, Any]:
        """Its section of the configuration."""
        return {
            "autonomy": self.autonomy,
            "good_after": "1s",
            "observe_every": "2s",
            "target": {"releases": {"path": str(self.directory), "restart": [str(self.restart)], "timeout": "20s"}},
            "backup": {"paths": [str(self.directory / "shared")]},
            "verify": {"timeout": "5s", "samples_in_a_row": 1},
        }


@dataclass
class Fleet:
    """The deployments that a Prometheus watches, those of one trial after the other."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    make: Callable[[str, Path, str], Deployment] = Deployment
    """Makes one of a name, a directory and an autonomy level."""

    def renew(self, names: Iterable[str], directory: Path) -> None:
        """From now on there are these, all well; a person is asked about every third."""
        levels = itertools.cycle(("L4", "L3", "L4"))
        self.deployments = {name: self.make(name, directory / name, next(levels)) for name in names}

    def go_wrong(self, command: Command, may: Callable[[str], bool]) -> bool:
        """Ship a bad release of that which may go wrong and did so least; returns whether there was any."""
        for one in sorted(self.deployments.values(), key=lambda one: one.breaks):
            if one.is_told and may(one.name):
                one.go_wrong(command)
                return True
        return False

    def exposition(self) -> str:
        """What stands where the signals' rules stand: the health of each by the release that is live."""
        lines = []
        for one in tuple(self.deployments.values()):
            lines.append(f'deployment:availability:ratio{{deployment="{one.name}"}} {one.is_well:d}')
            lines.append(f'service:availability:ratio{{deployment="{one.name}",service="web"}} {one.is_well:d}')
        return "\n".join(lines) + "\n"
