"""A SQLite database is kept while it is in use, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sqlite import SqliteSource
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from tests.receiver.backup.kept import NAME, NOW, keep, names_in


def test_what_is_committed_is_copied(tmp_path: Path, into: Path) -> None:
    """With a writer at work, the copy holds all that is committed, also what is only in the log, and nothing else."""
    database = tmp_path / "100% #1?.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE lattice (node INTEGER)")
        writer.executemany("INSERT INTO lattice VALUES (?)", ((number,) for number in range(1000)))
        assert database.stat().st_size < 4097, "the rows must still be in the log for this test to mean something"
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO lattice VALUES (-1)")
        database.chmod(0o640)
        made = keep(Backups(sqlite=(database,)), into)
        writer.execute("ROLLBACK")
    assert made.files == 2
    [copy] = (into / NAME / "sqlite" / "0").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o640
    with closing(sqlite3.connect(copy)) as restored:
        assert restored.execute("SELECT count(*), min(node), max(node) FROM lattice").fetchone() == (1000, 0, 999)
        assert restored.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_size_is_that_of_the_file_and_its_log(tmp_path: Path) -> None:
    """What is only in the write-ahead log will be in the copy, so it needs room as well."""
    database = tmp_path / "qrl.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE lattice (node BLOB)")
        writer.execute("INSERT INTO lattice VALUES (zeroblob(1000000))")
        assert SqliteSource(database).size() > 1_000_000


def test_one_that_stays_locked_is_given_up(tmp_path: Path, into: Path) -> None:
    """A database that another program keeps locked ends the backup, instead of keeping it waiting for ever."""
    database = tmp_path / "qrl.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("CREATE TABLE lattice (node INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BackupError, match=r"qrl\.db was locked for more than 0\.5 s"):
            make((SqliteSource(database, patience=0.5),), into, About("qrl", "run1", "ada", NOW, "r2", None))
    assert names_in(into) == []


def test_a_damaged_one_is_no_backup(tmp_path: Path, into: Path) -> None:
    """A database file that SQLite cannot read, or whose pages are damaged, ends the backup."""
    database = tmp_path / "qrl.db"
    database.write_bytes(b"this is no database " * 100)
    with pytest.raises(BackupError, match="file is not a database"):
        keep(Backups(sqlite=(database,)), into)
    database.unlink()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE lattice (node TEXT)")
        connection.executemany("INSERT INTO lattice VALUES (?)", (("x" * 500,) for _ in range(200)))
    damaged = bytearray(database.read_bytes())
    damaged[8192 : 8192 + 2000] = b"\xff" * 2000
    database.write_bytes(damaged)
    with pytest.raises(BackupError, match=r"fails SQLite's integrity check|malformed"):
        keep(Backups(sqlite=(database,)), into)
    assert names_in(into) == []
