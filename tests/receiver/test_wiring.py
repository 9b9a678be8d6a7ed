"""What the configuration names is what a deployment's world is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from receiver.errors import TransactionsError
from receiver.journal.database import Database, sqlite_url
from receiver.transactions.command import CommandTransactions
from receiver.transactions.postgresql import PostgresqlTransactions
from receiver.transactions.sqlite import SqliteTransactions
from receiver.wiring import put_together
from receiver.world import TransactionSource
from tests.receiver.surroundings import configuration

BACKED_UP = {"backup": {"sqlite": ["backed-up.db"]}}


def sources(root: Path, **qrl: Any) -> tuple[TransactionSource, ...]:
    """Where the open transactions of a deployment with these settings are looked for."""
    database = Database(sqlite_url(root / "state.db"))
    try:
        return put_together(configuration(root, qrl=qrl), database).current().worlds["qrl"].transactions
    finally:
        database.close()


def named(found: tuple[TransactionSource, ...]) -> list[str]:
    """The files that are looked at: none of them is there, and the error names it."""
    names = []
    for source in found:
        with pytest.raises(TransactionsError) as raised:
            source.pending()
        names.append(Path(str(raised.value).partition(":")[0]).name)
    return names


def test_transactions_are_looked_for_in_what_is_backed_up(tmp_path: Path) -> None:
    """Unless files are named, those of the backup count; an empty list means none."""
    other = {"pending_transactions": {"sqlite": ["other.db"]}}
    assert sources(tmp_path) == ()
    assert named(sources(tmp_path, **BACKED_UP)) == ["backed-up.db"]
    assert named(sources(tmp_path, **BACKED_UP, **other)) == ["other.db"]
    assert sources(tmp_path, **BACKED_UP, pending_transactions={"sqlite": []}) == ()


def test_transactions_are_looked_for_wherever_it_is_configured(tmp_path: Path) -> None:
    """SQLite, PostgreSQL and a command are all asked; PostgreSQL without its file is not "none is open"."""
    where = {"postgresql": {"url_file": "no-such-file"}, "command": ["/bin/false"]}
    sqlite, postgresql, command = sources(tmp_path, **BACKED_UP, pending_transactions=where)

    assert isinstance(sqlite, SqliteTransactions)
    assert isinstance(postgresql, PostgresqlTransactions)
    with pytest.raises(TransactionsError, match=r"the connection string cannot be read: .*No such file"):
        postgresql.pending()
    assert isinstance(command, CommandTransactions)
    assert command.pending() == ("/bin/false ended with exit code 1: it printed nothing",)
