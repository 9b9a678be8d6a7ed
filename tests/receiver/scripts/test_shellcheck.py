"""The reference scripts are clean in the eyes of shellcheck."""

from __future__ import annotations

import subprocess

from receiver.commands.scripts import SHIPPED


def test_shellcheck_finds_nothing() -> None:
    """Every script and the settings pass shellcheck as POSIX shell, without an exception of ours in the scripts."""
    scripts = sorted(SHIPPED.glob("*.sh"))
    assert len(scripts) == 5
    found = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert [script.name for script in scripts if "shellcheck disable" in script.read_text()] == []
