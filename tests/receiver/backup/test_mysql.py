"""A MySQL database is dumped by its own client, to the last line; here by MariaDB's, of a real MariaDB."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.backup.client import Client
from receiver.backup.mysql import MysqlSource
from receiver.config.deployment import Backups, MysqlBackup
from receiver.errors import BackupError, RestoreError
from tests.mariadb import Mariadb
from tests.receiver.backup.kept import NAME, keep, names_in
from tests.receiver.backup.programs import program

FILL = """
    create table node (id int primary key, name text, payload blob) engine=innodb;
    insert into node select seq, concat('node ', seq, char(10), '\\'', '\\\\'), unhex(md5(seq)) from seq_1_to_500;
    create table edge (of int, note text, foreign key (of) references node (id)) engine=innodb;
    insert into edge select seq, repeat(md5(seq * 7), 5) from seq_1_to_500;
    create trigger counted after insert on edge for each row update node set name = 'new' where id = new.of;
"""
MakeSource = Callable[..., MysqlSource]
NUMBERS = itertools.count()


@pytest.fixture
def database(mariadb: Mariadb) -> Iterator[str]:
    """The name of a database of one's own that holds rows."""
    name = f"shop_{next(NUMBERS)}"
    mariadb.ask(f"create database {name}")
    for statement in FILL.split(";\n")[:-1]:
        mariadb.ask(statement, name)
    yield name
    mariadb.ask(f"drop database {name}")


@pytest.fixture
def source(tmp_path: Path, mariadb: Mariadb, database: str) -> MakeSource:
    """Makes the source of that database."""

    def make(programs: Path | None = None, timeout: float = 60.0) -> MysqlSource:
        return MysqlSource("shop", mariadb.options_file(tmp_path), database, Client(programs, timeout))

    return make


def state(mariadb: Mariadb, database: str) -> str:
    """Row counts and checksums of every table."""
    tables = ("node", "edge")
    counts = [mariadb.ask(f"select count(*) from {table}; checksum table {table}", database) for table in tables]
    return "".join(counts).replace(f"{database}.", "")


def test_database_is_kept(tmp_path: Path, into: Path, mariadb: Mariadb, database: str) -> None:
    """The dump is one that a client reads, and it is in the manifest."""
    config = Backups(mysql={"shop": MysqlBackup(options_file=mariadb.options_file(tmp_path), database=database)})

    keep(config, into)

    dump = (into / NAME / "mysql" / "0" / "shop.sql").read_text()
    assert ("INSERT INTO `node`" in dump, "trigger counted" in dump) == (True, True)
    assert '"mysql/0/shop.sql"' in (into / NAME / "MANIFEST.txt").read_text()
    assert "hunter2" not in dump


def test_size_is_that_of_the_database(source: MakeSource) -> None:
    """The server tells it, so that the disk can be asked before anything is dumped."""
    assert source().size() > 30_000


@pytest.mark.parametrize(
    "ruin",
    [
        "drop table edge; drop table node",
        "delete from edge; update node set name = 'x'",
        "alter table node add column later text",
        "drop trigger counted",
        "select 1",
    ],
)
def test_rows_come_back(tmp_path: Path, mariadb: Mariadb, database: str, source: MakeSource, ruin: str) -> None:
    """Kept, ruined and put back: row counts and checksums of every table agree, and the trigger is there."""
    before = state(mariadb, database)
    (tmp_path / "kept").mkdir()
    source().save(tmp_path / "kept")
    mariadb.ask(ruin, database)

    said = source().restore(tmp_path / "kept", "now")

    assert (state(mariadb, database), said) == (before, "the MySQL database shop is restored")
    assert "counted" in mariadb.ask("show triggers", database)


def test_writer_at_work_does_not_tear_it(tmp_path: Path, mariadb: Mariadb, database: str, source: MakeSource) -> None:
    """It is of one moment: what one transaction writes to two tables is in both, or in neither."""
    writes = "begin; insert into node values ({0}, 'x', ''); insert into edge values ({0}, 'x'); commit;"
    script = "".join(writes.format(number) for number in range(1000, 4000))
    client = ("mariadb", "--no-defaults", f"--socket={mariadb.socket}", "--user=root", database)
    (tmp_path / "kept").mkdir()
    with subprocess.Popen(client, stdin=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        writer.stdin.write(script)
        writer.stdin.close()
        source().save(tmp_path / "kept")
        writer.wait()
    assert mariadb.ask("select count(*) from node", database) == "3500\n"

    source().restore(tmp_path / "kept", "now")

    assert mariadb.ask("select count(*) from node", database) == mariadb.ask("select count(*) from edge", database)


@pytest.mark.parametrize("cut", [1, 60, 2000, 20000])
def test_dump_that_was_cut_off_in_silence_is_no_backup(tmp_path: Path, source: MakeSource, cut: int) -> None:
    """A client that ends well, but whose dump lacks its end, is found out."""
    program(tmp_path / "bin", "mariadb-dump", f'/usr/bin/mariadb-dump "$@" | head -c -{cut + 50}')
    (tmp_path / "kept").mkdir()
    with pytest.raises(
        BackupError, match=r"^the MySQL database shop: .*mariadb-dump ended well, but the dump does not "
    ):
        source(programs=tmp_path / "bin").save(tmp_path / "kept")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 0", r"mariadb-dump ended well, but the dump does not end as a whole one does$"),
        ("echo 'no disk' >&2; exit 2", r"mariadb-dump ended with exit code 2: no disk$"),
        ("exec sleep 60", r"mariadb-dump did not end within 0\.5 s$"),
    ],
    ids=["writes nothing", "fails", "hangs"],
)
def test_dump_that_goes_wrong_is_told(tmp_path: Path, source: MakeSource, script: str, told: str) -> None:
    """Whatever becomes of the client, the backup says what."""
    program(tmp_path / "bin", "mariadb-dump", script)
    (tmp_path / "kept").mkdir()
    with pytest.raises(BackupError, match=r"^the MySQL database shop: .*" + told):
        source(programs=tmp_path / "bin", timeout=0.5).save(tmp_path / "kept")


def test_database_that_cannot_be_asked_is_told(tmp_path: Path, mariadb: Mariadb) -> None:
    """The reason is the client's own, for the size and for the dump."""
    gone = MysqlSource("shop", mariadb.options_file(tmp_path), "no_such", Client(None, 10.0))
    for attempt in (gone.size, lambda: gone.save(tmp_path)):
        with pytest.raises(BackupError, match=r"^the MySQL database shop: .*Unknown database 'no_such'"):
            attempt()


def test_file_of_options_that_others_may_read_is_refused(tmp_path: Path, source: MakeSource) -> None:
    """It holds a password, so it is for its owner only; one that is not there is told as well."""
    one = source()
    (tmp_path / "my.cnf").chmod(0o644)
    with pytest.raises(BackupError, match=r"my\.cnf: others may read it; run: chmod 600 .*my\.cnf$"):
        one.size()
    (tmp_path / "my.cnf").unlink()
    with pytest.raises(BackupError, match=r"my\.cnf: cannot be read: No such file or directory$"):
        one.save(tmp_path)


def test_restore_that_fails_says_that_it_may_be_half_done(tmp_path: Path, mariadb: Mariadb, source: MakeSource) -> None:
    """No transaction holds it together, so nobody is told that all is as it was."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "shop.sql").write_text("create table half (n int);\nno statement;\n")
    with pytest.raises(RestoreError, match=r"^the MySQL database shop may be restored in part: .*error in your SQL"):
        source().restore(tmp_path / "kept", "now")


def test_steps_are_what_a_person_could_type(
    tmp_path: Path, mariadb: Mariadb, database: str, source: MakeSource
) -> None:
    """The command with all its arguments, which hold no password."""
    (tmp_path / "kept").mkdir()
    source().save(tmp_path / "kept")
    before = state(mariadb, database)
    mariadb.ask("delete from edge", database)

    (command, _) = source().steps(tmp_path / "kept", "now")
    subprocess.run(["sh", "-c", command.removeprefix("run ")], check=True, capture_output=True)

    assert (state(mariadb, database), "hunter2" in command) == (before, False)
    assert names_in(tmp_path / "kept") == ["shop.sql"]
