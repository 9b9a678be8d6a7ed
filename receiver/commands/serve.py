"""`serve`: runs the receiver until it is told to stop."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from configfile import ConfigError
from receiver.app import create_app
from receiver.audit import AuditTrail
from receiver.commands.groups import example
from receiver.commands.options import LOCK, at_command_line, config_option, journal_of, load_usable_config
from receiver.config import Config
from receiver.errors import JournalError, RollbackAgentError
from receiver.journal import runs
from receiver.journal.database import Database
from receiver.journal.integrity import require_journal, require_whole
from receiver.journal.schema import migrate
from receiver.journal_watch import JournalWatch
from receiver.log import get_log, set_up_log
from receiver.replica import identify
from receiver.server import make_server
from receiver.wiring import interface, put_together, tls_context
from receiver.workers import Workers

PATIENCE = 10.0
"""Seconds that a stop waits for the steps under way; what does not end is taken up at the next start."""
TURN = 5.0
"""Seconds that a writer waits for its turn in the journal: a lease has to be renewed in time, a request answered."""


@click.command(epilog=example("rollback-agent serve --config /etc/rollback-agent/agent.yml"))
@config_option
@click.option(
    "--new-journal",
    "wants_new",
    is_flag=True,
    help="Begin a new journal where the old one is lost: budgets, latches, held and good releases are forgotten.",
)
def serve(config_path: Path, wants_new: bool) -> None:
    """Receive notifications, decide, and roll back."""
    config = load_usable_config(config_path)
    has_served = (config.root / LOCK).exists() and _has_records(config)
    for directory in (config.root, config.logs, config.backups, config.commands):
        _make_directory(directory)
    with _alone(config.root):
        _set_up_log(config)
        database = _open_journal(config, has_served, wants_new)
        migrate(database)
        _serve(config, database, config_path)


def _open_journal(config: Config, has_served: bool, wants_new: bool) -> Database:
    """The journal, which is there and whole, or is to be begun; raises JournalError otherwise."""
    database = journal_of(config, TURN)
    if database.file is not None:
        require_journal(database.file.path, has_served, wants_new)
        require_whole(database)
    elif wants_new:
        raise click.UsageError("--new-journal is for a journal that is a file; PostgreSQL keeps this one")
    if wants_new:
        audit = AuditTrail(config.audit_files, time.time)
        audit.record("journal:new", "the one before is lost", actor=at_command_line(None).name)
    return database


def _serve(config: Config, database: Database, config_path: Path) -> None:
    load = partial(load_usable_config, config_path)
    signals = _catch_signals()
    replica = identify(config.commands)
    with database.write() as tx:
        runs.end_leases(tx, replica)  # _alone says that no other process can hold one of its
    parts = put_together(config, database, replica=replica)
    workers = Workers(parts)
    app = create_app(interface(parts, workers.notify, lambda: _fault(database, parts.journal_watch), load))
    server = make_server(app, config.listen, tls=tls_context(parts))
    try:
        server.listen()
    except OSError as error:
        raise ConfigError(
            f"{config_path}: listen: cannot listen on {config.listen}: {error.strerror or error}; "
            "end what has this port, or name another address there"
        ) from error
    threading.Thread(target=server.serve, name="http", daemon=True).start()
    workers.start()
    get_log().info("rollback-agent serves", listen=config.listen, deployments=sorted(config.deployments))
    while os.read(signals, 1) == bytes([signal.SIGHUP]):
        parts.current.reload(load)
    get_log().info("rollback-agent stops")
    server.stop()
    if not workers.stop(PATIENCE):
        get_log().warning("a step is still under way; it is taken up at the next start")
    database.close()


def _catch_signals() -> int:
    """A descriptor from which the numbers of the signals can be read that came, a byte each.

    The kernel may hand a signal to any thread. A main thread that waits on a lock, as for an event, then sleeps on.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reader


def _has_records(config: Config) -> bool:
    """Whether the audit trail tells of an agent that has worked here."""
    active = config.audit_files.active
    return bool(config.audit_files.closed()) or (active.exists() and active.stat().st_size > 0)


def _set_up_log(config: Config) -> None:
    file = config.agent_log
    try:
        set_up_log(file, config.log.level, config.log.max_bytes, config.log.keep)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be made: {error.strerror}") from error


def _fault(database: Database, watch: JournalWatch) -> str | None:
    """Why no notification can be taken, or None: the journal has to be read now, and was written a moment ago."""
    try:
        with database.read() as tx:
            tx.exec_driver_sql("select 1 from run limit 1")
    except JournalError:
        return "The journal cannot be read."
    return "The journal cannot be written." if watch.fault else None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the lock that a second receiver on the same root would need."""
    file = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RollbackAgentError(f"another rollback-agent serves with {root}; end that one first") from None
    try:
        os.utime(file)  # since when it serves, for `status`
        yield
    finally:
        os.close(file)
