"""The sources that a deployment's configuration names: the one place that knows all kinds."""

from __future__ import annotations

from receiver.backup.client import Client
from receiver.backup.make import Source
from receiver.backup.paths import PathSource
from receiver.backup.postgresql import PostgresqlSource
from receiver.backup.sqlite import SqliteSource
from receiver.config.deployment import Backups
from receiver.secret import SecretFile


def configured(config: Backups) -> tuple[Source, ...]:
    """All of them, databases first: they are the ones that fail, and then nothing was copied in vain."""
    postgresql = (
        PostgresqlSource(name, SecretFile(one.url_file), Client(one.programs, config.timeout))
        for name, one in config.postgresql.items()
    )
    return (*postgresql, *map(SqliteSource, config.sqlite), *map(PathSource, config.paths))
