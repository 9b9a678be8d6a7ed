"""What the tests of backups need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import Mariadb


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Where the backups go; it is not there yet."""
    return tmp_path / "backups"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory with what a deployment would keep: files below each other, an empty one, a link."""
    directory = tmp_path / "shared"
    (directory / "uploads" / "2026").mkdir(parents=True)
    (directory / "settings.env").write_text("A=1\n")
    (directory / "uploads" / "2026" / "picture").write_bytes(bytes(range(256)))
    (directory / "uploads" / "empty").touch()
    (directory / "latest").symlink_to("uploads/2026")
    return directory


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    """A MariaDB of one's own."""
    if not Mariadb.is_installed():
        pytest.skip("MariaDB's server is not installed")
    server = Mariadb()
    yield server
    server.stop()
