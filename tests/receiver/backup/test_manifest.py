"""What was changed of a backup is found out, whatever it is."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.backup.manifest import MANIFEST, read_back
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from tests.receiver.backup.kept import NAME, keep


def test_it_has_a_digest_a_size_and_a_name_for_each_file(shared: Path, into: Path) -> None:
    """A person can check a file with the manifest and sha256sum alone; links and directories stand there too."""
    keep(Backups(paths=(shared / "settings.env", shared)), into)

    lines = (into / NAME / MANIFEST).read_text().splitlines()
    assert f'{hashlib.sha256(b"A=1" + bytes([10])).hexdigest()}  4  "paths/0/settings.env"' in lines
    assert f'{hashlib.sha256(b"uploads/2026").hexdigest()}  12  "paths/1/shared/latest" -> "uploads/2026"' in lines
    assert '-  0  "paths/1/shared/uploads/"' in lines
    assert len(lines) == 1 + 1 + 4 + 3 + 3, "backup.json, a file, those of shared with its link, its directories, ours"


@pytest.mark.parametrize(
    "name", ["two\nlines", "caf\udce9", 'quote"d', "next\x85line", "two  blanks", MANIFEST, "a -> b"], ids=ascii
)
def test_file_names_of_any_kind_are_backed_up(shared: Path, into: Path, name: str) -> None:
    """No name of a file, however odd, makes a backup impossible; a manifest of someone else is just a file."""
    (shared / name).write_text("odd")
    (shared / f"{name}.link").symlink_to(name)
    made = keep(Backups(paths=(shared,)), into)
    assert made.files == 5
    assert read_back(into / NAME) == made


SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (lambda copy: (copy / "settings.env").write_text("A=2\n"), '"paths/0/shared/settings.env" is not what'),
    "cut": (lambda copy: (copy / "settings.env").write_text("A=1"), '"paths/0/shared/settings.env" is not what'),
    "missing": (lambda copy: (copy / "settings.env").unlink(), '"paths/0/shared/settings.env" is missing'),
    "added": (lambda copy: (copy / "new").touch(), '"paths/0/shared/new" is not listed'),
    "added directory": (lambda copy: (copy / "new").mkdir(), '"paths/0/shared/new/" is not listed'),
    "link elsewhere": (lambda copy: relink(copy / "latest", "/etc"), '"paths/0/shared/latest" -> "/etc" is not listed'),
    "file to link": (lambda copy: relink(copy / "settings.env", "/etc/passwd"), '"paths/0/shared/settings.env"'),
    "pipe": (lambda copy: os.mkfifo(copy / "new"), "new is no file, directory or link"),
    "no manifest": (lambda copy: (copy.parents[2] / MANIFEST).unlink(), "MANIFEST.txt: cannot be read: "),
    "bad manifest": (lambda copy: (copy.parents[2] / MANIFEST).write_text("x\n"), "MANIFEST.txt: cannot be read: "),
    "empty manifest": (lambda copy: (copy.parents[2] / MANIFEST).write_text(""), "MANIFEST.txt: cannot be read: "),
    "gone": (lambda copy: shutil.rmtree(copy.parents[2]), "MANIFEST.txt: cannot be read: "),
}


def relink(path: Path, to: str) -> None:
    path.unlink()
    path.symlink_to(to)


@pytest.mark.parametrize("spoiled", SPOILS)
def test_backup_that_was_changed_is_found_out(shared: Path, into: Path, spoiled: str) -> None:
    """Reading back names the file that is missing, changed or too many, and does without no manifest."""
    spoil, what = SPOILS[spoiled]
    keep(Backups(paths=(shared,)), into)
    spoil(into / NAME / "paths" / "0" / "shared")
    with pytest.raises(BackupError) as found:
        read_back(into / NAME)
    assert what in str(found.value)


@pytest.fixture(scope="module")
def kept_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small backup whose manifest is spoiled again and again."""
    place = tmp_path_factory.mktemp("manifest")
    (place / "one").write_text("1")
    (place / "link").symlink_to("one")
    keep(Backups(paths=(place / "one",)), place / "backups")
    return place / "backups" / NAME


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_byte_of_the_manifest_can_be_changed(kept_once: Path, data: st.DataObject) -> None:
    """A byte that is replaced, taken out or put in anywhere, and a line twice, are found out."""
    manifest = kept_once / MANIFEST
    good = manifest.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    lines = good.splitlines(keepends=True)
    spoiled = data.draw(
        st.sampled_from(
            [
                good[:at] + byte + good[at + 1 :],
                good[:at] + good[at + 1 :],
                good[:at] + byte + good[at:],
                good[:at],
                good + lines[at % len(lines)],
                b"".join(reversed(lines)),
            ]
        )
    )
    try:
        manifest.write_bytes(spoiled)
        if spoiled != good:
            with pytest.raises(BackupError, match=NAME):
                read_back(kept_once)
    finally:
        manifest.write_bytes(good)
    read_back(kept_once)
