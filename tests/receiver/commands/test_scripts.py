"""`rollback-agent scripts` copies the reference scripts, and never over something."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver.commands.scripts import SHIPPED, scripts
from receiver.errors import NotPossible


def test_copies_all_scripts_ready_to_run(tmp_path: Path) -> None:
    """The directory is made, and every script but the settings can be executed."""
    done = CliRunner().invoke(scripts, [str(tmp_path / "a" / "b")], catch_exceptions=False)
    assert done.exit_code == 0
    made = {file.name: os.access(file, os.X_OK) for file in (tmp_path / "a" / "b").iterdir()}
    assert made == {file.name: file.name != "settings.sh" for file in SHIPPED.glob("*.sh")}


def test_overwrites_nothing(tmp_path: Path) -> None:
    """Where one of the files is there, none is copied."""
    (tmp_path / "settings.sh").write_text("mine")
    with pytest.raises(NotPossible, match=r"has settings\.sh already; nothing was copied"):
        CliRunner().invoke(scripts, [str(tmp_path)], catch_exceptions=False)
    assert [file.name for file in tmp_path.iterdir()] == ["settings.sh"]


def test_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """What the file system refuses is a sentence."""
    (tmp_path / "file").touch()
    with pytest.raises(NotPossible, match="the scripts cannot be copied: Not a directory"):
        CliRunner().invoke(scripts, [str(tmp_path / "file" / "below")], catch_exceptions=False)
