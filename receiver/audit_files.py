"""Where the audit trail and the key that signs it lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from configfile import FilePath, Section


class Audit(Section):
    """What the configuration says of the audit trail."""

    key_file: FilePath | None = None


@dataclass(frozen=True, slots=True)
class TrailFiles:
    """The file with the records, and the one with the key that signs them."""

    active: Path
    key: Path
