"""A journal's file that is damaged, replaced or gone is named, takes nothing, and is never made anew in silence."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.config import load_config
from receiver.errors import JournalError
from receiver.journal import counts
from receiver.journal.database import Database, open_database
from receiver.journal.integrity import require_journal, require_whole
from receiver.journal.schema import migrate
from tests.acceptance.stand import AGENT, Stand, stand
from tests.receiver.journal.rows import counted


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A journal with rows."""
    opened = open_database(tmp_path)
    migrate(opened)
    with opened.write() as tx:
        for number in range(200):
            counts.bump(tx, "runs", deployment=f"qrl-{number}")
    yield opened
    opened.close()


def bump(database: Database) -> None:
    """Write something."""
    with database.write() as tx:
        counts.bump(tx, "refusals", deployment="qrl")


def test_a_file_that_is_gone_takes_nothing_more(database: Database, tmp_path: Path) -> None:
    """SQLite would write on to what has no name any more, and say that it is stored; brought back, it goes on."""
    file, away = tmp_path / "state.db", tmp_path / "away.db"
    file.rename(away)
    for _ in range(2):
        with pytest.raises(JournalError, match=r"state\.db: the journal is gone: No such file"):
            bump(database)
        with pytest.raises(JournalError, match=r"state\.db: the journal is gone"), database.read():
            pass
    assert not file.exists()

    away.rename(file)
    bump(database)
    assert counted(database, "refusals") == [({"deployment": "qrl"}, 1)]


def test_a_whole_directory_that_is_gone_takes_nothing_more(database: Database, tmp_path: Path) -> None:
    """Nor is one made in its place by a connection that is opened only now."""
    (tmp_path / "state.db").unlink()
    database.engine.dispose()
    with pytest.raises(JournalError, match=r"state\.db: the journal is gone"):
        bump(database)
    assert not (tmp_path / "state.db").exists()


def test_another_file_in_its_place_is_not_taken_for_it(database: Database, tmp_path: Path) -> None:
    """A copy that somebody put there is used after a restart, and not mixed with what is open."""
    copy = tmp_path / "copy.db"
    with sqlite3.connect(tmp_path / "state.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    target.close()
    source.close()
    copy.replace(tmp_path / "state.db")
    with pytest.raises(JournalError, match=r"is not the journal that was opened; restart the agent"):
        bump(database)


@pytest.mark.parametrize("page", [0, 1, 2, 5])
def test_a_damaged_page_is_found(database: Database, tmp_path: Path, page: int) -> None:
    """Whichever page holds other bytes, the file is refused by its name; SQLite itself might not notice for weeks."""
    database.close()
    file = tmp_path / "state.db"
    with sqlite3.connect(file) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    with file.open("r+b") as damaged:
        damaged.seek(page * 4096)
        damaged.write(os.urandom(1024))
    reopened = open_database(tmp_path)
    before = file.read_bytes()
    with pytest.raises(JournalError, match=r"state\.db: (is damaged|file is not a database|database disk image)"):
        require_whole(reopened)
    reopened.close()
    assert file.read_bytes() == before


# What `serve` makes of it.


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """Where an agent has served: a journal, its lock, an audit trail. The next one finds its port taken."""
    with stand(tmp_path) as made, socket.create_server(("127.0.0.1", 0)) as taken:
        made.write_config(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        (made.root / "logs").mkdir(parents=True)
        journal = open_database(made.root)
        migrate(journal)
        journal.close()
        (made.root / "serve.lock").touch()
        AuditTrail(load_config(made.config).audit_files, lambda: 0.0).record("kill_switch:on", "a test")
        yield made


def serve(here: Stand, *options: str) -> str:
    """What `serve` says: the one sentence of why it ends."""
    argv = (AGENT, "serve", "--config", here.config, *options)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (1, 2)
    (sentence,) = done.stderr.splitlines()
    return sentence


def test_a_lost_journal_is_not_begun_anew_by_itself(here: Stand) -> None:
    """The budget and the latches would be forgotten; a person may say so, and that is on the audit trail."""
    (here.root / "state.db").unlink()

    assert "state.db: the journal is gone, although an agent has served here" in serve(here)
    assert not (here.root / "state.db").exists()

    assert "Address already in use; end what has this port" in serve(here, "--new-journal")
    assert here.audit()[-1]["decision"] == "journal:new"


def test_only_a_lost_journal_is_begun_anew(tmp_path: Path) -> None:
    """An empty file, which SQLite takes for a new database, is a lost one; where none was, none is lost."""
    file = tmp_path / "state.db"
    require_journal(file, served_before=False, wants_new=False)
    file.touch()
    with pytest.raises(JournalError, match=r"state\.db: the journal is gone"):
        require_journal(file, served_before=True, wants_new=False)
    require_journal(file, served_before=True, wants_new=True)
    file.write_text("a journal")
    require_journal(file, served_before=True, wants_new=False)
    with pytest.raises(JournalError, match=r"state\.db: there is a journal, so none is begun"):
        require_journal(file, served_before=True, wants_new=True)
