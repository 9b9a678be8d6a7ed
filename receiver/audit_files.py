"""Where the audit trail lies: its segments, and the key that signs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from configfile import FilePath, Integer, Section

_SEGMENT_BYTES = 10_000_000


class Audit(Section):
    """What the configuration says of the audit trail."""

    key_file: FilePath | None = None
    segment_bytes: Integer = Field(default=_SEGMENT_BYTES, ge=10_000, le=1_000_000_000)


@dataclass(frozen=True, slots=True)
class TrailFiles:
    """The segment that is written, the key, and the size from which on a segment is full.

    A full one is closed: it lies beside the active one, with the number of its last record in its name.
    """

    active: Path
    key: Path
    segment_bytes: int = _SEGMENT_BYTES

    def closed(self) -> list[Path]:
        """The closed segments, oldest first."""
        name = re.compile(rf"{re.escape(self.active.stem)}-\d{{10}}{re.escape(self.active.suffix)}")
        try:
            return sorted(file for file in self.active.parent.iterdir() if name.fullmatch(file.name))
        except FileNotFoundError:
            return []

    def closed_with(self, record: int) -> Path:
        """Where the segment lies whose last record has this number."""
        return self.active.with_stem(f"{self.active.stem}-{record:010d}")
