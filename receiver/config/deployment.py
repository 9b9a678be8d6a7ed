"""One deployment: how it is rolled back, what is kept before, when it counts as well again."""

from __future__ import annotations

from pydantic import Field

from configfile import Boolean, Command, FilePath, Integer, Section
from receiver.config.earned import OwnEarnedAutonomy
from receiver.config.targets import Target
from receiver.config_values import AlertName, Name, Period
from receiver.model import Autonomy


class PostgresqlBackup(Section):
    """A database that is dumped, by libpq's connection string in a file."""

    url_file: FilePath
    programs: FilePath | None = None
    """Directory of `pg_dump` and `pg_restore`, where those of the system are not of the server's version."""


class MysqlBackup(Section):
    """A MySQL or MariaDB database that is dumped; how to connect stands in a file as their own clients read it."""

    options_file: FilePath
    database: Name
    programs: FilePath | None = None


class CommandBackup(Section):
    """A command that writes what is to be kept into a directory, and one that puts it back."""

    save: Command
    restore: Command | None = None
    estimate_bytes: Integer = Field(ge=0)


class Keep(Section):
    """Which backups of a deployment are kept once another one was made."""

    count: Integer = Field(default=10, ge=1)
    age: Period | None = None
    bytes: Integer | None = Field(default=None, ge=1_000_000)
    """Of all of them together; the oldest go first."""


class Backups(Section):
    """What is kept before anything is touched."""

    sqlite: tuple[FilePath, ...] = ()
    paths: tuple[FilePath, ...] = ()
    postgresql: dict[Name, PostgresqlBackup] = Field(default={})
    mysql: dict[Name, MysqlBackup] = Field(default={})
    commands: dict[Name, CommandBackup] = Field(default={})
    timeout: Period = 600.0
    """Of each program that makes a copy, or reads it back."""
    keep: Keep = Keep()


class PostgresqlDatabase(Section):
    """A database of the deployment, by libpq's connection string in a file."""

    url_file: FilePath


class PendingTransactions(Section):
    """Where open transactions are looked for; without `sqlite` in the files that are backed up."""

    sqlite: tuple[FilePath, ...] | None = None
    postgresql: PostgresqlDatabase | None = None
    command: Command | None = None


class Verify(Section):
    """When a rollback counts as verified."""

    timeout: Period = 600.0
    samples_in_a_row: Integer = Field(default=3, ge=1)


class Diagnosis(Section):
    """What is collected for a person when a run asks one or ends."""

    health: Command | None = None
    timeout: Period = 15.0
    access_logs: tuple[FilePath, ...] = ()
    lines: Integer = Field(default=20, ge=1, le=200)


class AttributionSources(Section):
    """What else may be the cause: alerts that say that an upstream or a host of the deployment is ill."""

    alerts: tuple[AlertName, ...] = ()


class Deployment(Section):
    """One deployment: services that are released together."""

    target: Target
    end_leftovers: Boolean = False
    """Whether what a rollback command leaves running when it ends by itself is ended."""
    backup: Backups = Backups()
    pending_transactions: PendingTransactions = PendingTransactions()
    verify: Verify = Verify()
    diagnosis: Diagnosis = Diagnosis()
    attribution: AttributionSources = AttributionSources()
    autonomy: Autonomy | None = None
    earned_autonomy: OwnEarnedAutonomy = OwnEarnedAutonomy()
    good_after: Period = 900.0
    observe_every: Period = 60.0
    sandbox: Boolean = False
    """Whether drills may break it."""
