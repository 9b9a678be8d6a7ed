"""Keeps what a command writes into a directory, and has another one put it back."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from receiver.backup import trees
from receiver.backup.client import Client
from receiver.backup.contents import Kind
from receiver.errors import BackupError, RestoreError

DIRECTORY = "BACKUP_DIRECTORY"
"""The variable that tells a command where to write to, or to read from."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What writes the copy, what puts it back if anything does, and how many bytes a copy takes at most."""

    save: tuple[str, ...]
    restore: tuple[str, ...] | None
    estimate_bytes: int


class CommandSource:
    """Whatever the command keeps."""

    kind = Kind.COMMANDS

    def __init__(self, name: str, commands: Commands, client: Client) -> None:
        self.name = name
        self._commands = commands
        self._client = client

    def size(self) -> int:
        """What is configured; raises BackupError where the command could not be started."""
        self._require_program(self._commands.save)
        return self._commands.estimate_bytes

    def save(self, directory: Path) -> None:
        """Let the command write to `directory`; raises BackupError and OSError. Exit code 0 alone is not believed."""
        try:
            self._client.run(self._commands.save, {DIRECTORY: str(directory)})
        except BackupError as error:
            raise BackupError(f"{self._told}: {error}") from error
        written = trees.look(directory)
        trees.require_closed(directory, written)
        if not sum(seen.size for seen in written.values()):
            raise BackupError(f"{self._told}: {self._commands.save[0]} ended well, and has written nothing")

    def steps(self, directory: Path, _stamp: str) -> tuple[str, ...]:
        """What `restore` would do."""
        argv = self._restore(directory)
        return (f"run {shlex.join(argv)}", f"with {DIRECTORY}={directory}; what it does is its own affair")

    def restore(self, directory: Path, _stamp: str) -> str:
        """Let the command read from `directory`; raises RestoreError."""
        try:
            self._client.run(self._restore(directory), {DIRECTORY: str(directory)})
        except BackupError as error:
            raise RestoreError(f"{self._told}: how far it came is not known: {error}") from error
        return f"{self._told} is restored, as {self._commands.save[0]} has it"

    def _restore(self, directory: Path) -> tuple[str, ...]:
        if self._commands.restore is None:
            raise BackupError(f"{self._told} has no `restore` in the configuration; what was kept is in {directory}")
        self._require_program(self._commands.restore)
        return self._commands.restore

    def _require_program(self, argv: tuple[str, ...]) -> None:
        if not (Path(argv[0]).is_file() and os.access(argv[0], os.X_OK)):
            raise BackupError(f"{self._told}: {argv[0]} is no program that can be started")

    @property
    def _told(self) -> str:
        return f"the command {self.name}"
