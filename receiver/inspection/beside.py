"""What lies beside the releases: databases to be kept, access logs to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_SQLITE = b"SQLite format 3\0"
_MOST = 20


def databases(directory: Path) -> tuple[Path, ...]:
    """The SQLite files in the directory and where one usually keeps them below it."""
    places = ("", "shared", "shared/db", "shared/data", "data", "db", "var")
    return _some(file for file in _files(directory, places, ("*.db", "*.sqlite", "*.sqlite3")) if _is_sqlite(file))


def access_logs(directory: Path) -> tuple[Path, ...]:
    """The access logs where one usually keeps them below the directory."""
    places = ("log", "logs", "shared/log", "shared/logs")
    return _some(_files(directory, places, ("*access*.log",)))


def _files(directory: Path, places: Iterable[str], patterns: tuple[str, ...]) -> list[Path]:
    return [file for place in places for pattern in patterns for file in (directory / place).glob(pattern)]


def _some(files: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(file for file in files if file.is_file()))[:_MOST]


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as database:
            return database.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
