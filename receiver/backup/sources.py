"""The sources that a deployment's configuration names: the one place that knows all kinds."""

from __future__ import annotations

from pathlib import Path

from receiver.backup.client import Client
from receiver.backup.command import Commands, CommandSource
from receiver.backup.contents import Kind, Part
from receiver.backup.mysql import MysqlSource
from receiver.backup.paths import PathSource
from receiver.backup.postgresql import PostgresqlSource
from receiver.backup.sqlite import SqliteSource
from receiver.config.deployment import Backups
from receiver.secret import SecretFile

AnySource = PostgresqlSource | MysqlSource | SqliteSource | CommandSource | PathSource


def configured(config: Backups) -> tuple[AnySource, ...]:
    """All of them, databases first: they are the ones that fail, and then nothing was copied in vain."""
    postgresql = (
        PostgresqlSource(name, SecretFile(one.url_file), Client(one.programs, config.timeout))
        for name, one in config.postgresql.items()
    )
    mysql = (
        MysqlSource(name, one.options_file, one.database, Client(one.programs, config.timeout))
        for name, one in config.mysql.items()
    )
    commands = (
        CommandSource(name, Commands(one.save, one.restore, one.estimate_bytes), Client(None, config.timeout))
        for name, one in config.commands.items()
    )
    return (*postgresql, *mysql, *commands, *map(SqliteSource, config.sqlite), *map(PathSource, config.paths))


def source_of(part: Part, config: Backups) -> AnySource | None:
    """Where a part of a backup goes: the source that is configured or, of a file, its path; None where nobody knows."""
    for source in configured(config):
        if (source.kind, source.name) == (part.kind, part.name):
            return source
    if part.kind is Kind.PATHS:
        return PathSource(Path(part.name))
    return SqliteSource(Path(part.name)) if part.kind is Kind.SQLITE else None
