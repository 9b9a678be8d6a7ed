"""What a person sees of the backups, and can have made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from receiver.errors import AuditError, BackupError, NotFound
from tests.receiver.commands.journaled import Journaled


@pytest.fixture
def kept(here: Journaled) -> Path:
    """A file of qrl that its backups hold."""
    file = here.root.parent / "qrl" / "settings.env"
    file.write_text("A=1\n")
    here.content["deployments"]["qrl"]["backup"] = {"paths": [str(file)]}
    here.content["guardrails"] = {"disk_space": {"minimum_bytes": 0}}
    here.config.write_text(json.dumps(here.content))
    return file


def make(here: Journaled) -> Path:
    """The directory of a backup of qrl that ada has made."""
    return Path(here.says("backup", "make", "qrl", "--as", "ada").partition(":")[0])


def test_make_keeps_what_is_configured(here: Journaled, kept: Path) -> None:
    """It says where, and how much was read back; who wanted it and what was live is in the backup; it is audited."""
    said = here.says("backup", "make", "qrl", "--as", "ada", "--comment", "before the migration")

    (directory,) = (here.root / "backups").iterdir()
    assert said.startswith(f"{directory}: 3 files, ")
    assert (directory / "paths" / "0" / "settings.env").read_text() == "A=1\n"
    about = json.loads((directory / "backup.json").read_text())["about"]
    assert (about["made_by"], about["live_release"], about["live_commit"]) == ("ada", "r1", "c" * 40)
    (record,) = here.audited()
    assert (record["decision"], record["actor"], record["reasoning"]) == ("backup", "ada", "before the migration")
    assert directory.name.endswith(record["metrics_used"]["id"])


def test_make_needs_as_much_room_as_a_rollback(here: Journaled, kept: Path) -> None:
    """What must stay free for a rollback's backup must for this one."""
    here.content["guardrails"] = {"disk_space": {"minimum_bytes": 10**18}}
    here.config.write_text(json.dumps(here.content))
    with pytest.raises(BackupError, match=r"GB are free, 1000000000\.00 GB are needed for a backup$"):
        make(here)
    assert (here.audited(), (here.root / "backups").exists()) == ([], False)


def test_make_without_a_record_makes_none(here: Journaled, kept: Path) -> None:
    """Where it cannot be audited there is no backup."""
    (here.root / "logs" / "audit-trail.jsonl").mkdir()
    with pytest.raises(AuditError):
        make(here)
    assert not (here.root / "backups").exists()


def test_make_of_an_unknown_deployment_is_told(here: Journaled) -> None:
    """A name that the configuration does not have is told."""
    with pytest.raises(NotFound, match="there is no deployment qrx; the configuration has "):
        here.says("backup", "make", "qrx")


def test_list_shows_each_with_what_it_says_of_itself(here: Journaled, kept: Path) -> None:
    """The newest first, with whose it is, who made it, what was live and how large it is; for programs too."""
    directory = make(here)
    newest = directory.with_name("state-29990101-000000-later")
    shutil.copytree(directory, newest)

    lines = here.says("backup", "list").splitlines()
    told = json.loads(here.says("backup", "list", "--json"))["backups"]

    assert [line.split()[0] for line in lines[1:3]] == [newest.name, directory.name]
    assert [word in lines[2] for word in ("qrl", "ada", "r1", " kB", "complete")] == [True] * 5
    assert [one["backup"] for one in told] == [newest.name, directory.name]
    assert told[1]["parts"] == [{"kind": "paths", "name": str(kept), "at": "paths/0"}]
    assert (told[1]["deployment"], told[1]["made_by"], told[1]["fault"]) == ("qrl", "ada", None)


def test_list_shows_what_is_broken_and_nothing_that_is_not_ours(here: Journaled, kept: Path) -> None:
    """A backup without manifest or description is shown with the fault; other names, files and links are not shown."""
    directory = make(here)
    for fault, spoil in (("a", "MANIFEST.txt"), ("b", "backup.json")):
        shutil.copytree(directory, directory.with_name(f"state-20260101-000000-{fault}"))
        (directory.with_name(f"state-20260101-000000-{fault}") / spoil).unlink()
    (directory.parent / "state-20260101-000000-file").touch()
    (directory.parent / "state-20260101-000000-link").symlink_to(directory)
    (directory.parent / ".partial-1").mkdir()
    (directory.parent / "mine").mkdir()

    told = {one["backup"]: one["fault"] for one in json.loads(here.says("backup", "list", "--json"))["backups"]}

    assert told.pop(directory.name) is None
    assert list(told) == ["state-20260101-000000-b", "state-20260101-000000-a"]
    assert "MANIFEST.txt: cannot be read" in told["state-20260101-000000-a"]
    assert "backup.json: cannot be read" in told["state-20260101-000000-b"]


def test_list_of_nothing(here: Journaled) -> None:
    """Before the first backup there is none, and that is no fault."""
    assert json.loads(here.says("backup", "list", "--json")) == {"backups": []}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("format", "is not of this program's format: format: Input should be 1"),
        ("outside", "'paths/../../..' is no directory of the backup"),
        ("absolute", "'/etc' is no directory of the backup"),
        ("no JSON", "is not of this program's format: "),
    ],
)
def test_description_that_was_written_by_another_hand_is_not_used(
    here: Journaled, kept: Path, spoil: str, told: str
) -> None:
    """Another format, and a part that would lie outside of the backup, are faults."""
    directory = make(here)
    found = json.loads((directory / "backup.json").read_text())
    if spoil == "format":
        found["format"] = 2
    else:
        found["parts"][0]["at"] = {"outside": "paths/../../..", "absolute": "/etc"}.get(spoil, "paths/0")
    (directory / "backup.json").write_text("?" if spoil == "no JSON" else json.dumps(found))
    (one,) = json.loads(here.says("backup", "list", "--json"))["backups"]
    assert told in one["fault"]


def test_verify_reads_all_of_them_back(here: Journaled, kept: Path) -> None:
    """Each good one is told; with one that was changed the exit code is 1, and which it is and why is told."""
    good, bad = make(here), make(here)
    assert (
        here.says("backup", "verify", good.name)
        == f"{good.name}: 3 files, {size(good)} bytes, all as they were written\n"
    )

    (bad / "paths" / "0" / "settings.env").write_text("A=2\n")

    result = here.run("backup", "verify")
    assert str(result.exception) == f"1 of 2 backups cannot be used: {bad.name}"
    assert f'{bad.name}: {bad}: "paths/0/settings.env" is not what was written' in result.output
    told = json.loads(here.run("backup", "verify", "--json").output)["backups"]
    assert {one["id"]: one["intact"] for one in told} == {good.name: True, bad.name: False}
    with pytest.raises(BackupError, match=r"^1 of 1 backups cannot be used"):
        here.says("backup", "verify", bad.name)


def size(directory: Path) -> int:
    files = [file for file in directory.rglob("*") if file.is_file() and file.name != "MANIFEST.txt"]
    return sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("name", ["state-20260101-000000-x", "..", "/etc", "../backups", ".", "state-*"])
def test_verify_of_one_that_is_not_there_is_told(here: Journaled, kept: Path, name: str) -> None:
    """A name that no backup has, also one that leads elsewhere, is told; nothing else is read."""
    make(here)
    with pytest.raises(NotFound, match="there is no backup"):
        here.says("backup", "verify", name)
