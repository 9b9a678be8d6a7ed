"""What is rolled back, and through what: one section for each adapter in receiver/targets."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from configfile import Command, FilePath, Section
from receiver.config_values import Period


class FullRollback(Section):
    """How the database goes back with the code; a person is always asked first."""

    database: Command
    stop: Command | None = None
    timeout: Period = 1800.0


class ReleasesTarget(Section):
    """The layout of Capistrano: `releases/<id>`, `current`, `shared/`."""

    path: FilePath
    restart: Command
    timeout: Period = 300.0
    full: FullRollback | None = None


class ScriptTarget(Section):
    """A directory with the operations guide's three scripts, and one that tells the releases."""

    directory: FilePath
    timeout: Period = 900.0
    read_timeout: Period = 10.0


class Target(Section):
    """Exactly one adapter."""

    releases: ReleasesTarget | None = None
    script: ScriptTarget | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        chosen = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(chosen) != 1:
            known = ", ".join(type(self).model_fields)
            given = " and ".join(chosen) if chosen else "none"
            raise ValueError(f"a deployment has exactly one target, here is {given}; known are {known}")
        return self

    @property
    def adapter(self) -> ReleasesTarget | ScriptTarget:
        """The section that is there."""
        return next(one for one in (self.releases, self.script) if one is not None)
