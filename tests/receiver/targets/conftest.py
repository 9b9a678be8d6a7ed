"""A deployment in the `releases` layout: r2 is live, r1 was before it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for number in ("1", "2"):
        (tmp_path / "app" / "releases" / f"r{number}").mkdir(parents=True)
        (tmp_path / "app" / "releases" / f"r{number}" / "REVISION").write_text(number * 40 + "\n")
    (tmp_path / "app" / "current").symlink_to("releases/r2")
    return tmp_path / "app"
