"""A backup is complete, read back and named, or it is not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from receiver.backup import MANIFEST, make, read_back, size_needed
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from receiver.model import Backup

REPOSITORY = Path(__file__).parents[2]
NOW = 1_800_000_000.0
NAME = "state-20270115-080000-run1"
ON_A_FULL_DISK = """
import sys
from pathlib import Path
from receiver.backup import make
from receiver.config.deployment import Backups
from receiver.errors import BackupError
source, into = map(Path, sys.argv[1:])
try:
    make(Backups(paths=(source,)), into, "run1", {}, 0.0)
except BackupError as error:
    print(error)
print(sorted(path.name for path in into.iterdir()))
"""

AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from receiver.backup import size_needed
from receiver.config.deployment import Backups
from receiver.errors import BackupError
if os.geteuid() == 0:  # root may read everything
    os.setuid(65534)
try:
    size_needed(Backups(paths=(Path(sys.argv[1]),)))
except BackupError as error:
    print(error)
"""


def names_in(directory: Path) -> list[str]:
    """What stands in `directory`."""
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A directory with what a deployment would keep: files below each other, an empty one, a link."""
    shared = tmp_path / "shared"
    (shared / "uploads" / "2026").mkdir(parents=True)
    (shared / "settings.env").write_text("A=1\n")
    (shared / "uploads" / "2026" / "picture").write_bytes(bytes(range(256)))
    (shared / "uploads" / "empty").touch()
    (shared / "latest").symlink_to("uploads/2026")
    return shared


def test_everything_configured_is_copied_and_counted(sources: Path, into: Path) -> None:
    """Files, directories and texts are in the backup as they were, links stay links, and modes are kept."""
    (sources / "settings.env").chmod(0o600)
    config = Backups(paths=(sources, sources / "settings.env"))
    made = make(config, into, "run1", {"plan.json": '{"level": "fast"}'}, NOW)
    directory = into / NAME
    assert made == Backup(str(directory), files=5, bytes=4 + 256 + 0 + 4 + 17)
    assert (directory / "plan.json").read_text() == '{"level": "fast"}'
    assert (directory / "paths/0-shared/uploads/2026/picture").read_bytes() == bytes(range(256))
    assert (directory / "paths/0-shared/latest").readlink() == Path("uploads/2026")
    assert (directory / "paths/1-settings.env").stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    assert names_in(into) == [NAME]


def test_manifest_has_a_digest_a_size_and_a_name_for_each_file(sources: Path, into: Path) -> None:
    """A person can check a file of the backup with the manifest and sha256sum alone."""
    make(Backups(paths=(sources / "settings.env",)), into, "run1", {"note": "x"}, NOW)
    assert (into / NAME / MANIFEST).read_text().splitlines() == [
        f'{hashlib.sha256(b"x").hexdigest()}  1  "note"',
        f'{hashlib.sha256(b"A=1" + bytes([10])).hexdigest()}  4  "paths/0-settings.env"',
    ]


def test_sqlite_in_wal_mode_is_copied_with_what_is_committed(tmp_path: Path, into: Path) -> None:
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
        made = make(Backups(sqlite=(database,)), into, "run1", {}, NOW)
        writer.execute("ROLLBACK")
    assert made.files == 1
    [copy] = (into / NAME / "sqlite").iterdir()
    with closing(sqlite3.connect(copy)) as restored:
        assert restored.execute("SELECT count(*), min(node), max(node) FROM lattice").fetchone() == (1000, 0, 999)
        assert restored.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_sqlite_that_stays_locked_is_given_up(tmp_path: Path, into: Path) -> None:
    """A database that another program keeps locked ends the backup, instead of keeping it waiting for ever."""
    database = tmp_path / "qrl.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("CREATE TABLE lattice (node INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BackupError, match=r"qrl\.db was locked for more than 0\.5 s"):
            make(Backups(sqlite=(database,)), into, "run1", {}, NOW, patience=0.5)
    assert names_in(into) == []


def test_damaged_sqlite_is_no_backup(tmp_path: Path, into: Path) -> None:
    """A database file that SQLite cannot read, or whose pages are damaged, ends the backup."""
    database = tmp_path / "qrl.db"
    database.write_bytes(b"this is no database " * 100)
    with pytest.raises(BackupError, match="file is not a database"):
        make(Backups(sqlite=(database,)), into, "run1", {}, NOW)
    database.unlink()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE lattice (node TEXT)")
        connection.executemany("INSERT INTO lattice VALUES (?)", (("x" * 500,) for _ in range(200)))
    damaged = bytearray(database.read_bytes())
    damaged[8192 : 8192 + 2000] = b"\xff" * 2000
    database.write_bytes(damaged)
    with pytest.raises(BackupError, match=r"fails SQLite's integrity check|malformed"):
        make(Backups(sqlite=(database,)), into, "run1", {}, NOW)
    assert names_in(into) == []


@pytest.mark.parametrize(
    "name", ["two\nlines", "caf\udce9", 'quote"d', "next\x85line", "two  blanks", MANIFEST], ids=ascii
)
def test_file_names_of_any_kind_are_backed_up(sources: Path, into: Path, name: str) -> None:
    """No name of a file, however odd, makes a backup impossible; a manifest of someone else is just a file."""
    (sources / name).write_text("odd")
    made = make(Backups(paths=(sources,)), into, "run1", {}, NOW)
    assert made.files == 4
    assert read_back(into / NAME) == made


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda copy: (copy / "settings.env").write_text("A=2\n"), "'paths/0-shared/settings.env' is not what was"),
        (lambda copy: (copy / "settings.env").write_text("A=1"), "'paths/0-shared/settings.env' is not what was"),
        (lambda copy: (copy / "settings.env").unlink(), "'paths/0-shared/settings.env' is missing"),
        (lambda copy: (copy / "new").touch(), "'paths/0-shared/new' is not listed"),
        (lambda copy: (copy.parents[1] / MANIFEST).unlink(), "MANIFEST.txt: cannot be read: "),
        (lambda copy: (copy.parents[1] / MANIFEST).write_text("garbage\n"), "MANIFEST.txt: cannot be read: "),
        (lambda copy: (copy.parents[1] / MANIFEST).write_text(""), "is not listed"),
        (lambda copy: shutil.rmtree(copy.parents[1]), "MANIFEST.txt: cannot be read: "),
    ],
    ids=["changed", "cut", "missing", "added", "no-manifest", "bad-manifest", "empty-manifest", "gone"],
)
def test_backup_that_was_changed_is_found_out(
    sources: Path, into: Path, spoil: Callable[[Path], object], what: str
) -> None:
    """Reading back names the file that is missing, changed or too many, and does without no manifest."""
    make(Backups(paths=(sources,)), into, "run1", {}, NOW)
    spoil(into / NAME / "paths" / "0-shared")
    with pytest.raises(BackupError) as found:
        read_back(into / NAME)
    assert what in str(found.value)


def test_source_that_is_not_there_is_named(tmp_path: Path, into: Path) -> None:
    """A configured source that cannot be read is named before anything is copied, and copying it fails as well."""
    for config in (Backups(paths=(tmp_path / "absent",)), Backups(sqlite=(tmp_path / "absent",))):
        with pytest.raises(BackupError, match="absent: cannot be read for the backup: No such file or directory"):
            size_needed(config)
        with pytest.raises(BackupError, match="the backup could not be made: "):
            make(config, into, "run1", {}, NOW)
        assert names_in(into) == []


def test_socket_among_the_sources_ends_the_backup(sources: Path, into: Path) -> None:
    """What cannot be copied is not left out silently."""
    os.mkfifo(sources / "pipe")
    with pytest.raises(BackupError, match="pipe"):
        make(Backups(paths=(sources,)), into, "run1", {}, NOW)
    assert names_in(into) == []


def test_unreadable_directory_among_the_sources_is_named() -> None:
    """A directory below a source that cannot be listed is a fault, not an empty directory."""
    with TemporaryDirectory() as place:  # not below pytest's own, which no other user may enter
        Path(place).chmod(0o755)
        (Path(place) / "uploads").mkdir(mode=0)
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, place], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
    assert done.stdout == f"{place}: cannot be read for the backup: Permission denied\n", done.stderr


def test_size_needed_is_the_size_of_the_sources(sources: Path, tmp_path: Path) -> None:
    """The bytes of all files are counted, links are not followed."""
    (tmp_path / "qrl.db").write_bytes(b"x" * 1000)
    config = Backups(sqlite=(tmp_path / "qrl.db",), paths=(sources, sources / "settings.env"))
    assert size_needed(config) == 1000 + 256 + 4 + 4


def test_what_an_earlier_life_left_half_done_is_replaced(sources: Path, into: Path) -> None:
    """The remains of a backup that was interrupted are removed, and a complete one is made."""
    (into / ".partial-run1" / "paths").mkdir(parents=True)
    (into / ".partial-run1" / "paths" / "old").write_text("half")
    made = make(Backups(paths=(sources,)), into, "run1", {}, NOW)
    assert made.files == 3
    assert names_in(into) == [NAME]


def test_two_backups_of_one_moment_do_not_meet(sources: Path, into: Path) -> None:
    """Two runs in the same second have a backup each."""
    for run in ("run1", "run2"):
        make(Backups(paths=(sources,)), into, run, {}, NOW)
    assert names_in(into) == [NAME, NAME.replace("run1", "run2")]


def test_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """On a real file system that runs full the backup fails with that reason, and neither name is left."""
    source, disk = tmp_path / "large", tmp_path / "disk"
    source.write_bytes(b"x" * (2 << 20))
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=1m none {disk}"
    in_private = ["unshare", "--mount", "sh", "-c"]
    try:
        subprocess.run([*in_private, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system of one's own needs root and unshare(1)")
    script = f'{mount} && exec "$0" -c "$1" {source} {disk}'
    done = subprocess.run(
        [*in_private, script, sys.executable, ON_A_FULL_DISK],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    failure, left = done.stdout.splitlines()
    assert failure.startswith("the backup could not be made: [Errno 28] No space left on device: ")
    assert left == "[]"
