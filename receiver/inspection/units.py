"""Which units of systemd run something from a directory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from receiver.inspection.found import Place

_LARGEST = 1 << 16


def units_of(place: Place) -> tuple[str, ...]:
    """Names of the services that say they run from the directory, or that lie in it, sorted."""
    installed = (file.name for file in _services(place.units) if _mentions(file, place.directory))
    return tuple(sorted({*installed, *(file.name for file in _beside(place))}))


def _beside(place: Place) -> Iterator[Path]:
    for directory in ("", "systemd", "deploy"):
        yield from _services(place.directory / directory)


def _services(directory: Path) -> tuple[Path, ...]:
    return tuple(
        file for file in directory.glob("*.service") if re.fullmatch(r"[A-Za-z0-9:._-]+@?\.service", file.name)
    )


def _mentions(file: Path, directory: Path) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as unit:
            text = unit.read(_LARGEST)
    except OSError:
        return False
    return re.search(rf"{re.escape(str(directory))}(/|\s|$)", text) is not None
