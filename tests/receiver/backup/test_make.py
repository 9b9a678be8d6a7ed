"""A backup is complete, read back and named, or it is not there."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from receiver import __version__
from receiver.backup.make import size_needed
from receiver.backup.manifest import read_back
from receiver.backup.sources import configured
from receiver.backup.stored import all_in
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from receiver.model import Backup
from tests.receiver.backup.kept import GIT, NAME, NOW, keep, names_in

REPOSITORY = Path(__file__).parents[3]
ON_A_FULL_DISK = """
import sys
from pathlib import Path
from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.config.deployment import Backups
from receiver.errors import BackupError
kind, source, into = sys.argv[1], *map(Path, sys.argv[2:])
try:
    make(configured(Backups(**{kind: (source,)})), into, About("qrl", "run1", "ada", 0.0, "r2", None))
except BackupError as error:
    print(error)
print(sorted(path.name for path in into.iterdir()))
"""

ONE_AFTER_THE_OTHER = """
import itertools, sys
from pathlib import Path
from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.config.deployment import Backups
sources = configured(Backups(sqlite=(Path(sys.argv[1]),), paths=(Path(sys.argv[2]),)))
for number in itertools.count():
    make(sources, Path(sys.argv[3]), About("qrl", sys.argv[4] + str(number), "ada", number, "r2", None))
    print(number, flush=True)
"""


def test_everything_configured_is_copied_and_counted(shared: Path, into: Path) -> None:
    """Files, directories and texts are in the backup as they were, for its owner only."""
    made = keep(Backups(paths=(shared, shared / "settings.env")), into, texts={"plan.json": '{"level": "fast"}'})

    directory = into / NAME
    own = (directory / "backup.json").stat().st_size
    assert made == Backup(str(directory), files=6, bytes=4 + 256 + 0 + 4 + 17 + own)
    assert (directory / "plan.json").read_text() == '{"level": "fast"}'
    assert (directory / "paths/0/shared/uploads/2026/picture").read_bytes() == bytes(range(256))
    assert (directory / "paths/1/settings.env").read_text() == "A=1\n"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert names_in(into) == [NAME]


def test_backup_says_what_it_is(shared: Path, into: Path) -> None:
    """Deployment, run, time, what was live and what of it goes where can be read without the configuration."""
    keep(Backups(paths=(shared,)), into)

    assert json.loads((into / NAME / "backup.json").read_text()) == {
        "format": 1,
        "agent_version": __version__,
        "about": {
            "deployment": "qrl", "id": "run1", "made_by": "rollback-agent", "made_at": NOW,
            "live_release": "r2", "live_commit": GIT,
        },
        "parts": [{"kind": "paths", "name": str(shared), "at": "paths/0"}],
    }  # fmt: skip


def test_nothing_configured_is_a_backup_too(into: Path) -> None:
    """What the agent itself knows is kept in any case."""
    assert keep(Backups(), into, texts={"plan.json": "{}"}).files == 2
    assert read_back(into / NAME).files == 2


def test_what_an_earlier_life_left_half_done_is_replaced(shared: Path, into: Path) -> None:
    """The remains of a backup that was interrupted are removed, and a complete one is made."""
    (into / ".partial-run1" / "paths").mkdir(parents=True)
    (into / ".partial-run1" / "paths" / "old").write_text("half")
    (into / ".partial-run1" / "paths").chmod(0o500)
    assert keep(Backups(paths=(shared,)), into).files == 4
    assert names_in(into) == [NAME]


def test_what_an_earlier_life_of_the_same_second_has_made_is_replaced(shared: Path, into: Path) -> None:
    """Killed before the journal knew of its backup, a run makes it again, and there is one."""
    keep(Backups(paths=(shared,)), into)
    assert keep(Backups(paths=(shared,)), into).files == 4
    assert names_in(into) == [NAME]


def test_killed_at_any_moment_each_name_is_a_whole_backup(tmp_path: Path, shared: Path, into: Path) -> None:
    """Whenever the process ends, what has a backup's name reads back, and all else is half and named so."""
    database = tmp_path / "qrl.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table node as select 1")
    chance = random.Random(7)
    for life in range(8):
        argv = (sys.executable, "-c", ONE_AFTER_THE_OTHER, database, shared, into, f"life{life}-")
        with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"0\n"
            pause = threading.Event()
            pause.wait(chance.uniform(0, 0.1))
            process.kill()
    whole = [one for one in all_in(into) if one.verify()]
    assert len(whole) >= 8
    names = {one.id for one in whole}
    assert all(name in names or name.startswith(".partial-") for name in names_in(into))


def test_two_backups_of_one_moment_do_not_meet(shared: Path, into: Path) -> None:
    """Two runs in the same second have a backup each."""
    for run in ("run1", "run2"):
        keep(Backups(paths=(shared,)), into, run)
    assert names_in(into) == [NAME, NAME.replace("run1", "run2")]


def test_size_needed_is_that_of_all_sources(shared: Path, tmp_path: Path) -> None:
    """The bytes of all files are counted; what a link leads to only once."""
    (tmp_path / "qrl.db").write_bytes(b"x" * 1000)
    config = Backups(sqlite=(tmp_path / "qrl.db",), paths=(shared, shared / "settings.env"))
    assert size_needed(configured(config)) == 1000 + 256 + 4 + 4


@pytest.mark.parametrize("kind", ["paths", "sqlite"])
def test_source_that_is_not_there_is_named(tmp_path: Path, into: Path, kind: str) -> None:
    """A configured source that cannot be read is named before anything is copied, and copying it fails as well."""
    config = Backups.model_validate({kind: [tmp_path / "absent"]})
    with pytest.raises(BackupError, match="absent: cannot be read for the backup: No such file or directory"):
        size_needed(configured(config))
    with pytest.raises(BackupError, match=r"absent: (cannot be read for the backup|cannot be copied)"):
        keep(config, into)
    assert names_in(into) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_directory_that_may_not_be_written_to_is_told(shared: Path, into: Path) -> None:
    """Where the backups' directory is read-only there is no backup, and its path is told."""
    into.mkdir(mode=0o500)
    with pytest.raises(BackupError, match=r"^the backup could not be made: .*Permission denied: .*partial-run1"):
        keep(Backups(paths=(shared,)), into)


def on_a_disk(options: str, *arguments: str | Path) -> list[str]:
    """What a backup says that goes to a small file system of its own, mounted with these options, and what is left."""
    disk = arguments[-1]
    mount = f"mount -t tmpfs -o {options} none {disk}"
    in_private = ["unshare", "--mount", "sh", "-c"]
    try:
        subprocess.run([*in_private, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system of one's own needs root and unshare(1)")
    script = f'{mount} && exec "$0" "$@"'
    done = subprocess.run(
        [*in_private, script, sys.executable, "-c", ON_A_FULL_DISK, *arguments],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines() or [done.stderr]


@pytest.mark.parametrize("kind", ["paths", "sqlite"])
def test_full_disk_leaves_nothing_behind(tmp_path: Path, kind: str) -> None:
    """On a real file system that runs full the backup fails with that reason, and neither name is left."""
    source, disk = tmp_path / "large", tmp_path / "disk"
    if kind == "sqlite":
        fill = "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(3000000))"
        subprocess.run(["sqlite3", source, fill], check=True)
    else:
        source.write_bytes(b"x" * (2 << 20))
    disk.mkdir()
    failure, left = on_a_disk("size=1m", kind, source, disk)
    assert "No space left on device" in failure or "database or disk is full" in failure
    assert left == "[]"


def test_read_only_file_system_is_told(tmp_path: Path, shared: Path) -> None:
    """Where nothing can be written there is no backup, and the reason is told, to root as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    failure, left = on_a_disk("ro", "paths", shared, disk)
    assert failure.startswith("the backup could not be made: [Errno 30] Read-only file system: ")
    assert left == "[]"
