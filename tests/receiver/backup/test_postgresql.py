"""A PostgreSQL database is dumped, and all of the archive read back."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from receiver.backup.client import Client
from receiver.backup.postgresql import PostgresqlSource
from receiver.config.deployment import Backups, PostgresqlBackup
from receiver.errors import BackupError, RestoreError
from receiver.secret import SecretFile
from tests.postgres import Postgres
from tests.receiver.backup.kept import NAME, keep, names_in, url_file
from tests.receiver.backup.programs import program
from tests.receiver.commands.journaled import Journaled

NODES = 2000
FILL = f"""
    create table node (id integer primary key, name text not null, payload bytea);
    insert into node select n, 'node ' || n, decode(md5(n::text), 'hex') from generate_series(1, {NODES}) as n;
    create table edge (of integer references node, note text);
    insert into edge select n, repeat(md5((n * 7)::text), 20) from generate_series(1, {NODES}) as n;
"""
FIND_FILE = 'for one; do case "$one" in --file=*) file="${one#--file=}";; esac; done\n'
MakeSource = Callable[..., PostgresqlSource]


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def url(postgres: Postgres, numbers: Iterator[int]) -> str:
    """The connection string of a database of one's own that holds rows."""
    server = postgres.connection_string()
    name = f"shop_{next(numbers)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {name}")
    own = server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(own) as connection:
        connection.execute(FILL)
    return own


@pytest.fixture
def source(tmp_path: Path, url: str) -> MakeSource:
    """Makes the source of a connection string, by default of that database."""

    def make(text: str = url, programs: Path | None = None, timeout: float = 60.0) -> PostgresqlSource:
        return PostgresqlSource("shop", SecretFile(url_file(tmp_path, text)), Client(programs, timeout))

    return make


def test_database_is_kept_with_the_list_of_what_is_in_it(tmp_path: Path, into: Path, url: str) -> None:
    """The archive is one that pg_restore reads, its list stands beside it, and it is in the manifest."""
    keep(Backups(postgresql={"shop": PostgresqlBackup(url_file=url_file(tmp_path, url))}), into)

    directory = into / NAME / "postgresql" / "0"
    assert names_in(directory) == ["shop.dump", "shop.list"]
    assert "TABLE DATA public node" in (directory / "shop.list").read_text()
    sql = subprocess.run(
        ["pg_restore", "--file=-", directory / "shop.dump"], capture_output=True, text=True, check=True
    )
    assert sql.stdout.count("\t\\\\x") == NODES
    assert '"postgresql/0/shop.dump"' in (into / NAME / "MANIFEST.txt").read_text()


def test_size_is_that_of_the_database(source: MakeSource) -> None:
    """The server tells it, so that the disk can be asked before anything is dumped."""
    assert source().size() > 7_000_000, "even an empty database takes more"


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_archive_that_was_cut_off_in_silence_is_no_backup(tmp_path: Path, source: MakeSource, share: float) -> None:
    """A pg_dump that ends well, but whose archive lacks its end, is found out wherever it was cut."""
    cut = FIND_FILE + f'pg_dump "$@" && truncate -s $(($(stat -c %s "$file") * {int(share * 10000)} / 10000)) "$file"'
    program(tmp_path / "bin", "pg_dump", cut)
    program(tmp_path / "bin", "pg_restore", 'exec /usr/bin/pg_restore "$@"')
    (tmp_path / "kept").mkdir()

    with pytest.raises(BackupError, match=r"^the PostgreSQL database shop: .*/pg_restore ended with exit code 1: "):
        source(programs=tmp_path / "bin").save(tmp_path / "kept")


def test_list_alone_would_not_see_it(tmp_path: Path, source: MakeSource) -> None:
    """Why all of the archive is read: of one that lost its last half, pg_restore still lists everything."""
    source().save(tmp_path)
    archive = (tmp_path / "shop.dump").read_bytes()
    (tmp_path / "half").write_bytes(archive[: len(archive) // 2])
    listed = subprocess.run(["pg_restore", "--list", tmp_path / "half"], capture_output=True, text=True, check=True)
    assert "TABLE DATA public node" in listed.stdout


def test_bytes_that_were_changed_are_found_out(tmp_path: Path, source: MakeSource) -> None:
    """Data that no longer can be unpacked are no backup."""
    spoil = FIND_FILE + 'pg_dump "$@" && printf XXXXXXXX | dd of="$file" bs=1 seek=20000 conv=notrunc status=none'
    program(tmp_path / "bin", "pg_dump", spoil)
    program(tmp_path / "bin", "pg_restore", 'exec /usr/bin/pg_restore "$@"')
    (tmp_path / "kept").mkdir()
    with pytest.raises(BackupError, match=r"pg_restore ended with exit code 1: .*could not uncompress data"):
        source(programs=tmp_path / "bin").save(tmp_path / "kept")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 0", r"pg_restore ended with exit code 1: .*could not open input file"),
        ("echo 'pg_dump: error: no disk' >&2; exit 1", r"pg_dump ended with exit code 1: pg_dump: error: no disk$"),
        ("kill -9 $$", r"pg_dump was ended by signal 9$"),
        ("exec sleep 60", r"pg_dump did not end within 0\.5 s$"),
    ],
    ids=["writes nothing", "fails", "is killed", "hangs"],
)
def test_dump_that_goes_wrong_is_told(tmp_path: Path, source: MakeSource, script: str, told: str) -> None:
    """Whatever becomes of pg_dump, the backup says what."""
    program(tmp_path / "bin", "pg_dump", script)
    program(tmp_path / "bin", "pg_restore", 'exec /usr/bin/pg_restore "$@"')
    (tmp_path / "kept").mkdir()
    with pytest.raises(BackupError, match=r"^the PostgreSQL database shop: .*" + told):
        source(programs=tmp_path / "bin", timeout=0.5 if "sleep" in script else 60).save(tmp_path / "kept")


def test_server_that_is_newer_than_pg_dump_is_told_beforehand(tmp_path: Path, source: MakeSource) -> None:
    """Both versions are named, and what to do, before anybody is asked for anything."""
    program(tmp_path / "bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 12.22 (Debian)'")
    with pytest.raises(BackupError, match=r"the server is PostgreSQL \d+, and pg_dump of 12 cannot dump it; install "):
        source(programs=tmp_path / "bin").size()


def test_programs_that_are_not_there_are_told(tmp_path: Path, source: MakeSource) -> None:
    """The directory where they were looked for is named."""
    for attempt in (lambda one: one.size(), lambda one: one.save(tmp_path)):
        with pytest.raises(BackupError, match=rf"shop: pg_dump is not in {tmp_path}$"):
            attempt(source(programs=tmp_path))


def test_password_is_no_argument_and_in_no_error(tmp_path: Path, source: MakeSource, url: str) -> None:
    """Programs get it by their environment, and what they say of it is hidden."""
    program(tmp_path / "bin", "pg_dump", 'echo "arguments $*"; echo "password $PGPASSWORD" >&2; exit 3')
    with_password = url.replace("postgres@", "postgres:planted-hunter2@")
    with pytest.raises(BackupError, match=r"arguments .*--dbname=.*password ") as told:
        source(with_password, programs=tmp_path / "bin").save(tmp_path)
    assert "hunter2" not in str(told.value)
    program(tmp_path / "bin", "pg_dump", f'echo "$*" >{tmp_path}/arguments; env >{tmp_path}/environment; exit 3')
    with pytest.raises(BackupError):
        source(with_password, programs=tmp_path / "bin").save(tmp_path)
    assert "PGPASSWORD=planted-hunter2" in (tmp_path / "environment").read_text().splitlines()
    arguments = (tmp_path / "arguments").read_text()
    assert ("user=postgres" in arguments, "hunter2" in arguments) == (True, False)


@pytest.mark.parametrize("part", ["size", "save"])
def test_server_that_cannot_be_reached_is_told(tmp_path: Path, source: MakeSource, part: str) -> None:
    """The reason is libpq's own, without the password."""
    nowhere = source("postgresql://shop:planted-hunter2@127.0.0.1:1/shop?connect_timeout=2")
    with pytest.raises(BackupError, match=r"^the PostgreSQL database shop: .*Connection refused") as told:
        nowhere.size() if part == "size" else nowhere.save(tmp_path)
    assert "hunter2" not in str(told.value)


def test_nothing_is_left_of_a_backup_whose_dump_failed(tmp_path: Path, into: Path, url: str) -> None:
    """What was copied beside it goes as well."""
    file = url_file(tmp_path, "postgresql://shop@127.0.0.1:1/shop")
    config = Backups(paths=(file,), postgresql={"shop": PostgresqlBackup(url_file=file)})
    with pytest.raises(BackupError, match=r"^the PostgreSQL database shop: "):
        keep(config, into)
    assert names_in(into) == []


def state(url: str) -> list[tuple[object, ...]]:
    """Row counts and checksums of every table."""
    count = "select '{0}', count(*), md5(string_agg(t::text, '|' order by t::text)) from {0} as t"
    with psycopg.connect(url) as connection:
        return [connection.execute(count.format(table)).fetchone() or () for table in ("node", "edge")]


@pytest.mark.parametrize(
    "ruin",
    [
        "drop table edge; drop table node",
        "delete from edge; update node set name = 'x'",
        "alter table node add column later text; insert into node values (0, 'new')",
        "create table later (n int); insert into later values (1)",
        "select 1",
    ],
    ids=["dropped", "rewritten", "migrated", "added to", "left"],
)
def test_rows_come_back(tmp_path: Path, source: MakeSource, url: str, ruin: str) -> None:
    """Kept, ruined and put back: row counts and checksums of every table agree, and what came later is still there."""
    before = state(url)
    source().save(tmp_path)
    with psycopg.connect(url) as connection:
        connection.execute(ruin)

    said = source().restore(tmp_path, "now")

    assert (state(url), said) == (before, "the PostgreSQL database shop is restored")
    with psycopg.connect(url) as connection:
        (later,) = connection.execute("select to_regclass('later')::text").fetchone() or ()
        assert (later == "later") is ("create table later" in ruin)
        assert connection.execute("select conname from pg_constraint where conname = 'edge_of_fkey'").fetchone()


def test_archive_that_cannot_be_put_back_changes_nothing(tmp_path: Path, source: MakeSource, url: str) -> None:
    """It is one transaction: where something in the database is in its way, all stays as it is, and that is told."""
    source().save(tmp_path)
    with psycopg.connect(url) as connection:
        connection.execute("delete from edge; create view newer as select * from node")
    before = state(url)

    with pytest.raises(RestoreError, match=r"^the PostgreSQL database shop is as it was: .*other objects depend on it"):
        source().restore(tmp_path, "now")

    assert state(url) == before


def test_service_that_was_not_stopped_is_told(tmp_path: Path, source: MakeSource, url: str) -> None:
    """Who uses a table is named at once, since pg_restore would wait for it without end; nothing is changed."""
    source().save(tmp_path)
    before = state(url)
    with psycopg.connect(url, application_name="shop") as service:
        service.execute("select count(*) from node")
        told = rf"is as it was: its tables are in use by process {service.info.backend_pid} of postgres \(shop\); stop "
        with pytest.raises(RestoreError, match=told):
            source().restore(tmp_path, "now")
    assert state(url) == before
    source().restore(tmp_path, "now")


def test_program_that_is_ended_leaves_no_session(tmp_path: Path, source: MakeSource, url: str) -> None:
    """At its time limit its session is ended too: one that waits for a table would keep all others waiting."""
    waits = 'for one; do case "$one" in --dbname=*) exec psql "${one#--dbname=}" -c "select pg_sleep(60)";; esac; done'
    program(tmp_path / "bin", "pg_restore", waits)
    with pytest.raises(RestoreError, match=r"is as it was: .*/pg_restore did not end within 2 s$"):
        source(url + "&application_name=shop", programs=tmp_path / "bin", timeout=2.0).restore(tmp_path, "now")
    assert sessions_that_sleep(url) == []


def sessions_that_sleep(url: str) -> list[tuple[object, ...]]:
    """Sessions that wait for nothing; one that was ended a moment ago has a moment to go."""
    asleep = "select application_name from pg_stat_activity where query = 'select pg_sleep(60)'"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(100):
            if not (left := connection.execute(asleep).fetchall()):
                break
            connection.execute("select pg_sleep(0.05)")
        return left


def test_steps_are_what_a_person_could_type(tmp_path: Path, source: MakeSource, url: str) -> None:
    """The command with all its arguments, but without a password."""
    source().save(tmp_path)
    (command, _) = source(url.replace("postgres@", "postgres:planted-hunter2@")).steps(tmp_path, "now")
    assert command.startswith(
        "run /usr/bin/pg_restore --clean --if-exists --single-transaction --no-password '--dbname="
    )
    assert (command.endswith(f" {tmp_path}/shop.dump"), "hunter2" in command) == (True, False)
    with psycopg.connect(url) as connection:
        connection.execute("delete from edge")
    before = state(url)
    subprocess.run(["sh", "-c", command.removeprefix("run ")], check=True, capture_output=True)
    assert state(url) != before


def test_database_comes_back_by_the_commands_that_a_person_types(tmp_path: Path, url: str) -> None:
    """Made, spoilt, and put back on the command line: row counts and checksums agree, and so they do when undone."""
    here = Journaled(tmp_path)
    here.content["deployments"]["qrl"]["backup"] = {
        "postgresql": {"orders": {"url_file": str(url_file(tmp_path, url))}}
    }
    here.content["guardrails"] = {"disk_space": {"minimum_bytes": 0}}
    here.config.write_text(json.dumps(here.content))
    before = state(url)
    backup = Path(here.says("backup", "make", "qrl").partition(":")[0]).name
    with psycopg.connect(url) as connection:
        connection.execute("delete from edge; update node set name = 'spoilt'")
    spoilt = state(url)

    said = here.says("restore", backup, "--confirm", backup)

    assert state(url) == before
    (kept,) = {path.name for path in (here.root / "backups").iterdir()} - {backup}
    assert f"What is there now is kept as {kept}." in said
    here.says("restore", kept, "--confirm", kept)
    assert state(url) == spoilt != before
    here.database.close()
