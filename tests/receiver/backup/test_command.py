"""What a command writes is kept, and it is not believed that it wrote something."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.backup.client import Client
from receiver.backup.command import Commands, CommandSource
from receiver.config.deployment import Backups, CommandBackup
from receiver.errors import BackupError, RestoreError
from tests.receiver.backup.kept import NAME, keep, names_in


def source(save: str, restore: str | None = None, timeout: float = 10.0) -> CommandSource:
    """One whose commands are these lines of shell."""
    how = None if restore is None else ("/bin/sh", "-c", restore)
    return CommandSource("redis", Commands(("/bin/sh", "-c", save), how, 1000), Client(None, timeout))


def test_what_it_writes_is_in_the_backup(into: Path) -> None:
    """It is told where to write, gets nothing else of the agent's environment, and what it wrote is in the manifest."""
    save = ("/bin/sh", "-c", 'mkdir "$BACKUP_DIRECTORY/deep"; env >"$BACKUP_DIRECTORY/deep/environment"')
    keep(Backups(commands={"redis": CommandBackup(save=save, estimate_bytes=10)}), into)

    file = into / NAME / "commands" / "0" / "deep" / "environment"
    names = {line.partition("=")[0] for line in file.read_text().splitlines()}
    assert names - {"_", "PWD", "SHLVL"} == {"BACKUP_DIRECTORY", "LANG", "PATH"}
    assert '"commands/0/deep/environment"' in (into / NAME / "MANIFEST.txt").read_text()


def test_size_is_what_is_configured() -> None:
    """Nobody else can tell it beforehand."""
    assert source("true").size() == 1000


@pytest.mark.parametrize(
    ("save", "told"),
    [
        ("exit 0", "/bin/sh ended well, and has written nothing"),
        ('touch "$BACKUP_DIRECTORY/empty"', "/bin/sh ended well, and has written nothing"),
        ('echo x >"$BACKUP_DIRECTORY/x"; echo no disk >&2; exit 3', "/bin/sh ended with exit code 3: no disk"),
        ('echo x >"$BACKUP_DIRECTORY/x"; kill -9 $$', "/bin/sh was ended by signal 9"),
        ('echo x >"$BACKUP_DIRECTORY/x"; exec sleep 60', r"/bin/sh did not end within 0\.5 s"),
        ('ln -s /etc/passwd "$BACKUP_DIRECTORY/x"', "is a link that leads out of"),
        ('mkfifo "$BACKUP_DIRECTORY/x"', "is no file, directory or link"),
    ],
    ids=["nothing", "an empty file", "fails", "is killed", "hangs", "a link out", "a pipe"],
)
def test_what_is_no_copy_is_no_backup(tmp_path: Path, save: str, told: str) -> None:
    """Exit code 0 is not enough, and any other is too much; nothing that leads out of the backup is kept."""
    with pytest.raises(BackupError, match=told):
        source(save, timeout=0.5).save(tmp_path)


def test_program_that_is_not_there_is_told_beforehand() -> None:
    """It is found before anybody is asked."""
    gone = CommandSource("redis", Commands(("/no/such",), ("/no/such",), 0), Client(None, 1.0))
    with pytest.raises(BackupError, match=r"^the command redis: /no/such is no program that can be started$"):
        gone.size()
    with pytest.raises(BackupError, match=r"^the command redis: /no/such is no program that can be started$"):
        gone.steps(Path("/"), "now")


def test_restore_is_the_affair_of_its_own_command(tmp_path: Path) -> None:
    """The other command is told where the copy is; what would be run is told beforehand."""
    kept = tmp_path / "kept"
    kept.mkdir()
    one = source('echo 42 >"$BACKUP_DIRECTORY/x"', f'cat "$BACKUP_DIRECTORY/x" >{tmp_path}/live')
    one.save(kept)

    assert one.steps(kept, "now")[0] == f"""run /bin/sh -c 'cat "$BACKUP_DIRECTORY/x" >{tmp_path}/live'"""
    assert one.restore(kept, "now") == "the command redis is restored, as /bin/sh has it"
    assert (tmp_path / "live").read_text() == "42\n"
    assert names_in(kept) == ["x"]


def test_restore_that_fails_or_is_not_configured_is_told(tmp_path: Path) -> None:
    """How far it came nobody knows; without such a command the place of the copy is told."""
    with pytest.raises(RestoreError, match=r"^the command redis: how far it came is not known: .* code 3: no$"):
        source("true", "echo no; exit 3").restore(tmp_path, "now")
    with pytest.raises(BackupError, match=rf"has no `restore` in the configuration; what was kept is in {tmp_path}$"):
        source("true").steps(tmp_path, "now")
