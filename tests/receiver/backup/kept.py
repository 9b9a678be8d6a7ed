"""Makes backups for tests, as a run would."""

from __future__ import annotations

from pathlib import Path

from receiver.backup.contents import About
from receiver.backup.make import make
from receiver.backup.sources import configured
from receiver.config.deployment import Backups
from receiver.model import Backup

NOW = 1_800_000_000.0
NAME = "state-20270115-080000-run1"
GIT = "2" * 40


def keep(config: Backups, into: Path, run: str = "run1", texts: dict[str, str] | None = None) -> Backup:
    """A backup of what is configured."""
    return make(configured(config), into, About("qrl", run, "rollback-agent", NOW, "r2", GIT), texts)


def names_in(directory: Path) -> list[str]:
    """What stands in `directory`."""
    return sorted(path.name for path in directory.iterdir())


def url_file(directory: Path, url: str) -> Path:
    """A file that holds the connection string, as a configuration names it."""
    file = directory / "url"
    file.write_text(url)
    file.chmod(0o600)
    return file
