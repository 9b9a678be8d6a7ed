"""Options that several commands share."""

from __future__ import annotations

import fcntl
import getpass
import os
import pwd
import time
from contextlib import suppress
from pathlib import Path

import click

from configfile import ConfigError
from receiver.announcements import Announcements
from receiver.audit import AuditTrail
from receiver.audit_key import AuditKey
from receiver.config import Config, load_config
from receiver.durations import unix_seconds
from receiver.errors import JournalError, PostgresqlError, UnknownDeployment
from receiver.journal.database import PATIENCE, Database, open_database
from receiver.journal.schema import version
from receiver.operators import Operators, Person, Via
from receiver.postgresql import parameters_of
from receiver.secret import SecretFile
from receiver.web_check import faults
from receiver.web_config import load_web_config

DEFAULT_CONFIG = "rollback/config/rollback-config.json"
CONFIG_VARIABLE = "ROLLBACK_AGENT_CONFIG"
_NAME_ONE = (
    f"name the configuration with --config or in {CONFIG_VARIABLE}, or begin one with `rollback-agent init DIRECTORY`"
)
LOCK = "serve.lock"
"""Held by `serve` below its root while it runs."""

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_CONFIG,
    envvar=CONFIG_VARIABLE,
    show_default=True,
    help="The configuration file (YAML or JSON).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def complete_deployment(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The deployments that a shell offers: those of the configuration, none where that cannot be read."""
    path = ctx.params.get("config_path") or os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG
    try:
        config = load_config(Path(path))
    except ConfigError:
        return []
    return [name for name in config.deployments if name.startswith(incomplete)]


deployment_argument = click.argument("deployment", shell_complete=complete_deployment)


class Moment(click.ParamType[float]):
    """A date or a moment in ISO 8601, in UTC where it names no zone."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix seconds."""
        if isinstance(value, float):
            return value
        try:
            return unix_seconds(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is no moment such as 2026-11-30 or 2026-11-30T13:05:00Z: {error}", param, ctx)


def _someone(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise click.BadParameter("a name is not empty and can be printed")
    return value.strip()


person_option = click.option(
    "--as",
    "person",
    callback=_someone,
    default=getpass.getuser,
    show_default="your login name",
    help="Who decides, for the audit trail.",
)


def read_config(config_path: Path) -> Config:
    """The configuration; raises ConfigError, which says how to name or begin one where there is none."""
    try:
        return load_config(config_path)
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(f"{error}; {_NAME_ONE}") from error.__cause__
        raise


def load_usable_config(config_path: Path) -> Config:
    """The configuration, whose files can be used too; raises ConfigError."""
    config = read_config(config_path)
    found = list(faults(config, load_web_config(config.web.config_file)))
    key = config.audit.key_file  # the one below root is the agent's own, and nobody else need be able to read it
    if key is not None and (fault := AuditKey(key).fault()):
        found.append(f"audit.key_file: {fault}")
    if url := _url_of_journal(config):
        try:
            parameters_of(url)
        except PostgresqlError as error:
            found.append(f"journal.postgresql.url_file: {error}")
    if found:
        raise ConfigError("\n".join(f"{config_path}: {fault}" for fault in found))
    return config


def is_serving(root: Path) -> bool:
    """Whether a receiver holds the lock that it keeps while it runs."""
    return serving_since(root) is not None


def serving_since(root: Path) -> float | None:
    """When the receiver that runs here took its lock (Unix seconds), or None where none runs."""
    try:
        with (root / LOCK).open("r") as lock:
            since = os.fstat(lock.fileno()).st_mtime
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return since
    except OSError:
        return None
    return None


def config_hint(config_path: Path) -> str:
    """What has to be typed after a suggested command, so that it works as it is printed."""
    is_known = str(config_path) == DEFAULT_CONFIG or CONFIG_VARIABLE in os.environ
    return "" if is_known else f" --config {config_path}"


def open_announcements(config_path: Path, deployment: str) -> Announcements:
    """What takes announcements of `deployment` here; a name that the configuration does not have is wrong usage."""
    config, database = open_journal(config_path)
    announcements = Announcements(database, AuditTrail(config.audit_files, time.time), config.deployments)
    try:
        announcements.require_known(deployment)
    except UnknownDeployment as error:
        raise click.UsageError(str(error)) from error
    return announcements


def open_operators(config_path: Path) -> Operators:
    """What does as people decide here; raises JournalError where no receiver has run."""
    return operators_of(*open_journal(config_path))


def operators_of(config: Config, database: Database) -> Operators:
    """The same, of this configuration and journal."""
    return Operators(database, AuditTrail(config.audit_files, time.time), config)


def at_command_line(person: str | None) -> Person:
    """Who types here, as they say, or else their login; it is no mere claim where it is the user who runs this."""
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        login = None
    name = person or login or getpass.getuser()
    return Person(name, Via.COMMAND_LINE, is_claim=name != login)


def load_knowing_secrets(config_path: Path) -> Config:
    """The configuration; the secrets that it names are hidden from now on in all that is recorded and printed."""
    config = read_config(config_path)
    for file in config.secret_files:
        with suppress(OSError, ValueError):  # who may not read it cannot give it away either
            SecretFile(file).digest()
    return config


def open_journal(config_path: Path) -> tuple[Config, Database]:
    """The configuration and the journal of a receiver that has run here; raises JournalError where none has."""
    config = load_knowing_secrets(config_path)
    return config, existing_journal(config)


def existing_journal(config: Config) -> Database:
    """The journal of a receiver that has run with this configuration; raises JournalError where none has."""
    database = journal_of(config)
    if config.journal.postgresql is None and not (config.root / "state.db").exists():
        raise JournalError(f"there is no journal at {config.root / 'state.db'}; has `rollback-agent serve` run here?")
    if config.journal.postgresql is not None and version(database) is None:
        raise JournalError(
            f"the database that {config.journal.postgresql.url_file} names holds no journal; "
            "has `rollback-agent serve` run with it?"
        )
    return database


def journal_of(config: Config, patience: float = PATIENCE) -> Database:
    """The journal that the configuration names, whether it is there or not."""
    return open_database(config.root, postgresql=_url_of_journal(config), patience=patience)


def _url_of_journal(config: Config) -> SecretFile | None:
    return SecretFile(config.journal.postgresql.url_file) if config.journal.postgresql else None
