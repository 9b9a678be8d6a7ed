"""A tree of files is kept as it stands at one moment, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from receiver.backup.make import size_needed
from receiver.backup.sources import configured
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from tests.receiver.backup.kept import NAME, keep, names_in

REPOSITORY = Path(__file__).parents[3]
AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from receiver.backup.paths import PathSource
from receiver.errors import BackupError
if os.geteuid() == 0:  # root may read everything
    os.setuid(65534)
try:
    PathSource(Path(sys.argv[1])).size()
except BackupError as error:
    print(error)
"""


def test_modes_times_owners_and_links_are_kept(shared: Path, into: Path) -> None:
    """The copy is the tree: empty directories, read-only ones, links as links; as root with every owner."""
    (shared / "settings.env").chmod(0o600)
    (shared / "read-only").mkdir()
    (shared / "read-only" / "file").touch()
    os.utime(shared / "settings.env", (1_700_000_000, 1_700_000_000))
    if os.geteuid() == 0:
        os.chown(shared / "settings.env", 12345, 12346)
    (shared / "read-only").chmod(0o500)

    keep(Backups(paths=(shared,)), into)

    copy = into / NAME / "paths" / "0" / "shared"
    assert (copy / "latest").readlink() == Path("uploads/2026")
    assert (copy / "read-only").stat().st_mode & 0o777 == 0o500
    was, now = (shared / "settings.env").stat(), (copy / "settings.env").stat()
    assert (now.st_mode, now.st_mtime, now.st_uid, now.st_gid) == (was.st_mode, was.st_mtime, was.st_uid, was.st_gid)


def test_one_that_is_itself_a_link_is_followed(shared: Path, into: Path) -> None:
    """What a configured path leads to is meant, not the link."""
    (shared.parent / "by-name").symlink_to("shared")
    keep(Backups(paths=(shared.parent / "by-name",)), into)
    assert (into / NAME / "paths" / "0" / "shared" / "settings.env").is_file()


@pytest.mark.parametrize("leads_to", ["../secrets", "/etc", "uploads/../../secrets", "../gone"])
def test_link_out_of_the_tree_is_refused(shared: Path, into: Path, leads_to: str) -> None:
    """A link that leads out is named before anything is copied, and nothing is left when it comes up in between."""
    (shared.parent / "secrets").mkdir()
    (shared / "uploads" / "..link").symlink_to(leads_to if leads_to.startswith("/") else f"../{leads_to}")
    config = Backups(paths=(shared,))
    told = rf"\.\.link is a link that leads out of {shared}, to "
    with pytest.raises(BackupError, match=told):
        size_needed(configured(config))
    with pytest.raises(BackupError, match=told):
        keep(config, into)
    assert names_in(into) == []


@pytest.mark.parametrize("leads_to", ["uploads", "{}/uploads/2026", "not there", "latest", "./uploads/../settings.env"])
def test_link_within_the_tree_is_kept_as_it_is(shared: Path, into: Path, leads_to: str) -> None:
    """Relative or absolute, also to what is not there: put back in its place it means the same."""
    (shared / "link").symlink_to(leads_to.format(shared))
    keep(Backups(paths=(shared,)), into)
    kept = into / NAME / "paths" / "0" / "shared" / "link"
    assert os.readlink(kept) == leads_to.format(shared)  # noqa: PTH115 - a Path would tidy up what stands there


def test_socket_or_pipe_ends_the_backup(shared: Path, into: Path) -> None:
    """What cannot be copied is not left out silently."""
    os.mkfifo(shared / "pipe")
    for attempt in (lambda config: size_needed(configured(config)), lambda config: keep(config, into)):
        with pytest.raises(BackupError, match="pipe is no file, directory or link"):
            attempt(Backups(paths=(shared,)))
    assert names_in(into) == []


def test_the_backups_themselves_are_not_kept(tmp_path: Path, into: Path) -> None:
    """A path that holds the backups would hold each twice as much as the one before."""
    into.mkdir()
    with pytest.raises(BackupError, match=r"holds the backups themselves"):
        keep(Backups(paths=(tmp_path,)), into)
    assert names_in(into) == []


CHANGES: dict[str, Callable[[Path], object]] = {
    "grows": lambda shared: append(shared / "settings.env"),
    "is rewritten": lambda shared: (shared / "settings.env").write_text("A=2\n"),
    "is replaced": lambda shared: replace_file(shared / "settings.env"),
    "is made": lambda shared: (shared / "uploads" / os.urandom(4).hex()).touch(),
    "is removed": lambda shared: next(shared.glob("many/*"), shared / "none").unlink(missing_ok=True),
    "changes its mode": lambda shared: (shared / "settings.env").chmod(0o600 ^ os.urandom(1)[0] & 0o77),
    "is a link that leads elsewhere": lambda shared: relink(shared / "latest", os.urandom(4).hex()),
    "is a directory that is moved": lambda shared: (shared / "uploads").rename(shared / "up"),
}


def append(file: Path) -> None:
    with file.open("a") as opened:
        opened.write("x")


def replace_file(file: Path) -> None:
    (file.parent.parent / "new").write_text("A=1\n")
    (file.parent.parent / "new").replace(file)


def relink(link: Path, to: str) -> None:
    link.unlink()
    link.symlink_to(to)


@contextmanager
def changing(shared: Path, into: Path, change: Callable[[Path], object], times: float) -> Iterator[None]:
    """Makes a change as soon as the copy is begun, and so often."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set() and not (into / ".partial-run1" / "paths" / "0" / "shared" / "many").exists():
            over.wait(0.0005)
        made = 0
        while not over.is_set() and made < times:
            with suppress(FileNotFoundError, FileExistsError):
                change(shared)
            made += 1
            over.wait(0.001)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


@pytest.fixture
def many(shared: Path) -> Path:
    """So many files that copying them takes a while."""
    (shared / "many").mkdir()
    for number in range(500):
        (shared / "many" / str(number)).write_text(str(number))
    return shared


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_once_meanwhile_is_copied_again(many: Path, into: Path, change: str) -> None:
    """The copy is the tree as it was at one moment: after the change, in all of its parts."""
    with changing(many, into, CHANGES[change], times=1):
        keep(Backups(paths=(many,)), into)

    copy = into / NAME / "paths" / "0" / "shared"
    told = subprocess.run(["diff", "-r", "--no-dereference", many, copy], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")
    assert (copy / "settings.env").stat().st_mode == (many / "settings.env").stat().st_mode


@pytest.mark.parametrize(
    "change", ["grows", "is rewritten", "is replaced", "is made", "is a link that leads elsewhere"]
)
def test_what_keeps_changing_is_given_up(many: Path, into: Path, change: str) -> None:
    """After three attempts there is no backup, what changed is told, and nothing is left."""
    with (
        changing(many, into, CHANGES[change], times=inf),
        pytest.raises(BackupError, match=rf"^{many}/.+ changed while it was copied, 3 times; stop what writes there"),
    ):
        keep(Backups(paths=(many,)), into)
    assert names_in(into) == []


def test_unreadable_directory_is_named() -> None:
    """A directory below a source that cannot be listed is a fault, not an empty directory; so is an unreadable file."""
    with TemporaryDirectory() as place:  # not below pytest's own, which no other user may enter
        Path(place).chmod(0o755)
        (Path(place) / "uploads").mkdir(mode=0)
        assert said_to_another_user(place) == f"{place}/uploads: cannot be read for the backup: Permission denied\n"
        (Path(place) / "uploads").rmdir()
        (Path(place) / "secret").touch(mode=0o600)
        assert said_to_another_user(place) == f"{place}/secret: cannot be read for the backup: Permission denied\n"


def said_to_another_user(place: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, place], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return done.stdout or done.stderr
