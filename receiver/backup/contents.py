"""What a backup says of itself in `backup.json`: whose it is, when it was made, and what of it goes where."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from receiver.errors import BackupError

FILE = "backup.json"


class Kind(StrEnum):
    """A kind of source: its key in the configuration, and its directory in a backup."""

    PATHS = "paths"
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    COMMANDS = "commands"


@dataclass(frozen=True, slots=True)
class Part:
    """One source's part of a backup: `name` is the source's own, `at` the directory in the backup that holds it."""

    kind: Kind
    name: str
    at: str


@dataclass(frozen=True, slots=True)
class About:
    """Whose it is, who had it made and when (Unix seconds), and what was live then.

    `id` is that of the run that made it, or one of its own where a person had it made.
    """

    deployment: str
    id: str
    made_by: str
    made_at: float
    live_release: str | None
    live_commit: str | None


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a backup says of itself."""

    format: Literal[1]
    agent_version: str
    about: About
    parts: tuple[Part, ...]


_CONTENTS = TypeAdapter(Contents)


def write(directory: Path, contents: Contents) -> None:
    """Write `backup.json`; raises OSError."""
    (directory / FILE).write_text(json.dumps(asdict(contents), indent=2) + "\n", encoding="ascii")


def read(directory: Path) -> Contents:
    """What `backup.json` says; raises BackupError where it cannot be read or names what is not in the backup."""
    try:
        found = _CONTENTS.validate_json((directory / FILE).read_bytes())
    except OSError as error:
        raise BackupError(f"{directory / FILE}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BackupError(f"{directory / FILE}: is not of this program's format: {where}: {first['msg']}") from error
    for part in found.parts:
        at = PurePosixPath(part.at)
        if at.is_absolute() or ".." in at.parts or not (directory / at).is_dir() or (directory / at).is_symlink():
            raise BackupError(f"{directory / FILE}: {part.at!r} is no directory of the backup")
    return found
