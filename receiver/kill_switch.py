"""Whether rollbacks are switched off: here, by a file that needs nothing else, or in the journal of all replicas."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa

from receiver.config import Config
from receiver.errors import JournalError, NotPossible
from receiver.journal import seen
from receiver.journal.database import Database


def look(config: Config, tx: sa.Connection) -> tuple[bool | None, str | None]:
    """Whether nothing may be rolled back; None, and why, where the file system does not say."""
    if seen.last(tx, seen.KILL_SWITCH) is not None:
        return True, None
    try:
        config.kill_switch.stat()
    except FileNotFoundError:
        return False, None
    except OSError as error:  # unlike Path.exists, which takes some of these for "not there"
        return None, f"{config.kill_switch} cannot be looked at: {error.strerror}"
    return True, None


def look_now(config: Config, database: Database) -> tuple[bool | None, str | None]:
    """The same at this moment; raises JournalError where nobody can know."""
    with database.read() as tx:
        return look(config, tx)


def switch_on(config: Config, database: Database, why: str) -> JournalError | None:
    """From now on; why only for this replica, or None. Raises NotPossible where not even that."""
    told = None
    if not database.is_sqlite:
        try:
            with database.write() as tx:
                seen.mark(tx, seen.KILL_SWITCH, database.now(tx))
        except JournalError as error:
            told = error
        else:
            return None
    _make(config, why)
    return told


def switch_off(config: Config, database: Database) -> None:
    """No longer, unless another replica was switched off by a file of its own; raises JournalError and NotPossible."""
    if not database.is_sqlite:
        with database.write() as tx:
            seen.forget(tx, seen.KILL_SWITCH)
    file = config.kill_switch
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise NotPossible(f"the kill switch is still on: {file} cannot be removed: {error.strerror}") from error


def _make(config: Config, why: str) -> None:
    file = config.kill_switch
    try:
        file.touch()
    except OSError as error:
        raise NotPossible(
            f"{file} cannot be made: {error.strerror}; to stop everything, stop `rollback-agent serve`"
        ) from error
    with suppress(OSError):  # that the file is there stops everything; on a full disk it may stay empty
        file.write_text(f"{why}\n", encoding="utf-8")
