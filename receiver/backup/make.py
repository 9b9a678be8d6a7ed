"""Makes a backup that is complete or absent, and reads it back against its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from receiver import __version__
from receiver.backup import contents, manifest, trees
from receiver.backup.contents import About, Contents, Kind, Part
from receiver.errors import BackupError
from receiver.model import Backup

PARTIAL = ".partial-"
"""How the directory of a backup that is not complete is named."""


class Source(Protocol):
    """Something to be kept; `name` is its own among those of its kind."""

    kind: Kind
    name: str

    def size(self) -> int:
        """Bytes that its copy takes at most; raises BackupError where it could not be copied."""
        ...

    def save(self, directory: Path) -> None:
        """Write the copy to `directory`, which is empty; raises BackupError and OSError."""
        ...


def size_needed(sources: Iterable[Source]) -> int:
    """Bytes that a backup takes at most; raises BackupError where a source could not be copied."""
    return sum(source.size() for source in sources)


def make(sources: Iterable[Source], into: Path, about: About, texts: Mapping[str, str] | None = None) -> Backup:
    """Copy every source, and `texts` by their file names, to `into`/state-<time>-<id>.

    It is written under another name, synced, read back and only then renamed; raises BackupError and leaves
    nothing under either name otherwise.
    """
    stamp = datetime.fromtimestamp(about.made_at, UTC).strftime("%Y%m%d-%H%M%S")
    final = into / f"state-{stamp}-{about.id}"
    partial = into / f"{PARTIAL}{about.id}"
    try:
        trees.remove(partial)
        partial.mkdir(parents=True, mode=0o700)
        parts = tuple(_save(source, partial, number) for number, source in enumerate(sources))
        for name, text in (texts or {}).items():
            (partial / name).write_text(text, encoding="utf-8")
        contents.write(partial, Contents(1, __version__, about, parts))
        manifest.write(partial)
        backup = manifest.read_back(partial)
        trees.remove(final)  # left by a life of the same second that was killed before anybody knew of it
        partial.rename(final)
        trees.sync(into)
    except OSError as error:
        with suppress(OSError):  # it may have its name already, and not surely after a loss of power
            trees.remove(final)
        raise BackupError(f"the backup could not be made: {error}") from error
    finally:
        with suppress(OSError):  # the reason why there is no backup is told, not this one
            trees.remove(partial)
    return Backup(str(final), backup.files, backup.bytes)


def _save(source: Source, partial: Path, number: int) -> Part:
    at = f"{source.kind}/{number}"
    directory = partial / at
    directory.mkdir(parents=True, mode=0o700)
    source.save(directory)
    return Part(source.kind, source.name, at)
