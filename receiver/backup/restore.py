"""What exactly putting a backup back would do, part by part, and the doing of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from receiver.backup.contents import About, Kind, Part
from receiver.backup.sources import AnySource, configured, source_of
from receiver.backup.stored import Stored
from receiver.config.deployment import Backups
from receiver.errors import NotFound, NotPossible


class Restorable(Protocol):
    """What can be put back from the directory of its part; `stamp` is a word for the names of what is moved aside."""

    kind: Kind
    name: str

    def steps(self, directory: Path, stamp: str) -> tuple[str, ...]:
        """What `restore` would do, a line each; raises BackupError where it could not."""
        ...

    def restore(self, directory: Path, stamp: str) -> str:
        """Do it, and say what was done and what was left; raises RestoreError."""
        ...


@dataclass(frozen=True, slots=True)
class PartPlan:
    """One part, where it goes, and what will be done."""

    part: Part
    source: AnySource
    directory: Path
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.part.kind} {self.part.name}"


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """A backup that was read back, what of it goes where, and what a person should know before."""

    id: str
    about: About
    stamp: str
    parts: tuple[PartPlan, ...]
    notices: tuple[str, ...]


def plan(stored: Stored, config: Backups, only: tuple[str, ...], now: float) -> RestorePlan:
    """Read the backup back and say what would be done; raises BackupError, NotFound and NotPossible.

    `only` names parts as KIND:NAME; without it all are meant. Where things go is said by the configuration in force.
    """
    _, found = stored.verify()
    wanted = _wanted(found.parts, only)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S.%f")
    known = {(source.kind, source.name) for source in configured(config)}
    notices = [
        f"{part.kind} {part.name} is no longer in the configuration; it goes back to where it was"
        for part in wanted
        if (part.kind, part.name) not in known
    ]
    kept = {(part.kind, part.name) for part in found.parts}
    notices += [f"{kind} {name} is in the configuration and not in this backup" for kind, name in sorted(known - kept)]
    parts = tuple(_planned(stored.directory, part, config, stamp) for part in wanted)
    return RestorePlan(stored.id, found.about, stamp, parts, tuple(notices))


def _wanted(parts: tuple[Part, ...], only: tuple[str, ...]) -> tuple[Part, ...]:
    if not parts:
        raise NotPossible("the backup holds nothing that could be put back; only the plan and the configuration")
    by_name = {f"{part.kind}:{part.name}": part for part in parts}
    for name in only:
        if name not in by_name:
            raise NotFound(f"the backup has no part {name}; it has {', '.join(by_name)}")
    return tuple(part for name, part in by_name.items() if not only or name in only)


def _planned(backup: Path, part: Part, config: Backups, stamp: str) -> PartPlan:
    source = source_of(part, config)
    if source is None:
        raise NotPossible(
            f"{part.kind} {part.name} is no longer in the configuration, which alone says how to reach it; "
            "add it again, or name the other parts with --only"
        )
    directory = backup / part.at
    return PartPlan(part, source, directory, source.steps(directory, stamp))
