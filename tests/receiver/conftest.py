"""What several of the receiver's tests need running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver.serving import Receiver, serving


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """The HTTP interface, served."""
    with serving(tmp_path) as here:
        yield here
