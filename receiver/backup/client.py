"""Runs a database's own programs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from receiver.errors import BackupError, ProgramError
from receiver.program import ENVIRONMENT, run_program
from receiver.redact import redact_text


@dataclass(frozen=True, slots=True)
class Client:
    """The programs of one directory, or of the system; each run of one may take `timeout` seconds."""

    programs: Path | None
    timeout: float

    def path(self, *names: str) -> str:
        """The path of the first of these programs that is there; raises BackupError."""
        path = str(self.programs) if self.programs else ENVIRONMENT["PATH"]
        found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
        if found is None:
            where = f"is not in {self.programs}" if self.programs else "is not installed"
            raise BackupError(f"{' or '.join(names)} {where}")
        return found

    def run(
        self,
        argv: tuple[str, ...],
        environment: Mapping[str, str] | None = None,
        read: Path | None = None,
        write: Path | None = None,
    ) -> str:
        """Run a program to its good end, and return the last of what it said; raises BackupError."""
        try:
            ended = run_program(argv, self.timeout, {**ENVIRONMENT, **(environment or {})}, read, write)
        except ProgramError as error:
            raise BackupError(str(error)) from error
        said = redact_text(" ".join(ended.said.split()))
        if ended.exit_code:
            raise BackupError(f"{argv[0]} ended with exit code {ended.exit_code}: {said or 'it said nothing'}")
        return said
