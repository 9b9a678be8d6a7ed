"""Lists what a backup holds in `MANIFEST.txt`, and reads all of it back."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

from receiver.backup import trees
from receiver.backup.trees import Seen
from receiver.errors import BackupError
from receiver.model import Backup

MANIFEST = "MANIFEST.txt"


def write(directory: Path) -> None:
    """List everything below `directory`, and return when all of it is on disk; raises OSError."""
    text = _as_text(_digests(directory, trees.look(directory)))
    (directory / MANIFEST).write_text(text, encoding="ascii")
    trees.sync_all(directory)


def require_same(one: Path, other: Path) -> None:
    """Return when `other`, a copy of `one`, is on disk and holds the same; raises OSError and BackupError."""
    trees.sync_all(other)
    if _digests(one, trees.look(one)) != _digests(other, trees.look(other)):
        raise BackupError(f"{other} was written, and reads back as something else")


def read_back(directory: Path) -> Backup:
    """Compare everything with the manifest; raises BackupError naming the first that is missing, wrong or unlisted."""
    manifest = directory / MANIFEST
    try:
        text = manifest.read_text(encoding="ascii")
        listed = _listed(text)
    except (OSError, ValueError) as error:
        raise BackupError(f"{manifest}: cannot be read: {error}") from error
    try:
        tree = trees.look(directory)
        tree.pop(manifest)
        present = _digests(directory, tree)
    except OSError as error:
        raise BackupError(f"{directory}: cannot be read back: {error}") from error
    for name in sorted(listed.keys() | present.keys()):
        if name not in listed:
            raise BackupError(f"{directory}: {name} is not listed")
        if name not in present:
            raise BackupError(f"{directory}: {name} is missing")
        if listed[name] != present[name]:
            raise BackupError(f"{directory}: {name} is not what was written")
    if text != _as_text(present):
        raise BackupError(f"{manifest}: is not what was written")
    files = [seen.size for seen in tree.values() if stat.S_ISREG(seen.mode)]
    return Backup(str(directory), len(files), sum(files))


def _listed(text: str) -> dict[str, str]:
    """The lines of a manifest: digest and size, by name; raises ValueError."""
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        digest, size, name = line.split("  ", 2)
        found[name] = f"{digest}  {size}"
    return found


def _digests(directory: Path, tree: dict[Path, Seen]) -> dict[str, str]:
    """The same, of what is there now; raises OSError."""
    return dict(
        _line(path, directory, seen)
        for path, seen in tree.items()
        if path != directory or not stat.S_ISDIR(seen.mode)  # the top is told by what is in it
    )


def _line(path: Path, directory: Path, seen: Seen) -> tuple[str, str]:
    # As a JSON string a name is one line of ASCII, whatever bytes it holds.
    name = str(path.relative_to(directory))
    if stat.S_ISDIR(seen.mode):
        return json.dumps(f"{name}/"), "-  0"
    if seen.leads_to is not None:
        text = seen.leads_to.encode(errors="surrogateescape")
        digest = hashlib.sha256(text).hexdigest()
        return f"{json.dumps(name)} -> {json.dumps(seen.leads_to)}", f"{digest}  {len(text)}"
    with path.open("rb") as opened:
        return json.dumps(name), f"{hashlib.file_digest(opened, 'sha256').hexdigest()}  {seen.size}"


def _as_text(lines: dict[str, str]) -> str:
    return "".join(f"{lines[name]}  {name}\n" for name in sorted(lines))
