"""What the tests of commands need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver.commands.journaled import Journaled


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Journaled]:
    """A configuration with a journal, where nothing serves."""
    made = Journaled(tmp_path)
    yield made
    made.database.close()
