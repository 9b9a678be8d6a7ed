"""Makes a backup that is complete or absent, and reads it back against its manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from receiver.config.deployment import Backups
from receiver.errors import BackupError
from receiver.model import Backup

MANIFEST = "MANIFEST.txt"
PATIENCE = 30.0
"""Seconds that a SQLite file may stay locked by another program before the backup is given up."""


def size_needed(config: Backups) -> int:
    """Bytes that a backup will take at most; raises BackupError where a configured source cannot be read."""
    total = 0
    for source in (*config.sqlite, *config.paths):
        try:
            if source.is_dir():
                total += sum(file.stat().st_size for file in _files_of(source))
            else:
                with source.open("rb"):
                    total += source.stat().st_size
        except OSError as error:
            raise BackupError(f"{source}: cannot be read for the backup: {error.strerror}") from error
    return total


def make(
    config: Backups, into: Path, run: str, extra: dict[str, str], now: float, patience: float = PATIENCE
) -> Backup:
    """Copy everything configured, and the texts of `extra` by file name, to `into`/state-<time>-<run>.

    It is written under another name, synced, read back and only then renamed; raises BackupError and leaves
    nothing under the final name otherwise.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    final = into / f"state-{stamp}-{run}"
    partial = into / f".partial-{run}"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        for number, database in enumerate(config.sqlite):
            _copy_sqlite(database, partial / "sqlite" / f"{number}-{database.name}", patience)
        for number, path in enumerate(config.paths):
            _copy_path(path, partial / "paths" / f"{number}-{path.name}")
        for name, text in extra.items():
            (partial / name).write_text(text, encoding="utf-8")
        _write_manifest(partial)
        backup = read_back(partial)
        partial.rename(final)
        _sync(into)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"the backup could not be made: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Backup(str(final), backup.files, backup.bytes)


def read_back(directory: Path) -> Backup:
    """Compare every file with the manifest; raises BackupError naming the first that is missing, wrong or unlisted."""
    listed: dict[str, tuple[int, str]] = {}
    try:
        for line in (directory / MANIFEST).read_text(encoding="ascii").splitlines():
            digest, size, name = line.split("  ", 2)
            listed[json.loads(name)] = (int(size), digest)
    except (OSError, ValueError) as error:
        raise BackupError(f"{directory / MANIFEST}: cannot be read: {error}") from error
    present = {str(file.relative_to(directory)): file for file in _files_of(directory) if file != directory / MANIFEST}
    if present.keys() != listed.keys():
        odd = min(present.keys() ^ listed.keys())
        raise BackupError(f"{directory}: {odd!r} is {'not listed' if odd in present else 'missing'}")
    for name, file in present.items():
        if (file.stat().st_size, _digest(file)) != listed[name]:
            raise BackupError(f"{directory}: {name!r} is not what was written")
    return Backup(str(directory), len(listed), sum(size for size, _ in listed.values()))


def _copy_sqlite(source: Path, to: Path, patience: float) -> None:
    # SQLite's own backup: a copy of the file alone would miss what is still in the write-ahead log.
    to.parent.mkdir(exist_ok=True)
    deadline = time.monotonic() + patience

    def progress(status: int, _remaining: int, _total: int) -> None:
        # Called after each attempt; without it the backup would wait for a locked database for ever.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise TimeoutError(f"{source} was locked for more than {patience:g} s")

    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=1.0)) as live,
        closing(sqlite3.connect(to)) as copy,
    ):
        live.backup(copy, progress=progress)
        copy.execute("PRAGMA journal_mode=DELETE")
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(f"{source}: the copy fails SQLite's integrity check: {found}")


def _copy_path(source: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, to, symlinks=True)
    else:
        shutil.copy2(source, to)


def _write_manifest(directory: Path) -> None:
    lines = []
    for file in sorted(_files_of(directory)):
        _sync(file)
        # As a JSON string a name is one line of ASCII, whatever bytes it holds.
        lines.append(f"{_digest(file)}  {file.stat().st_size}  {json.dumps(str(file.relative_to(directory)))}\n")
    manifest = directory / MANIFEST
    manifest.write_text("".join(lines), encoding="ascii")
    _sync(manifest)
    _sync(directory)


def _files_of(directory: Path) -> list[Path]:
    """All files below `directory`; links are kept in a copy and never followed. Raises OSError."""

    def refuse(error: OSError) -> None:
        raise error

    found = (Path(root, name) for root, _, names in os.walk(directory, onerror=refuse) for name in names)
    return [file for file in found if not file.is_symlink()]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
