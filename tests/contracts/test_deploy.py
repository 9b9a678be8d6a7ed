"""The units of systemd are what the pages about installing say of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
UNIT = DEPLOY / "rollback-agent.service"
UNITS = (UNIT, DEPLOY / "rollback-agent-exporter.service")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_understood_and_exposes_little(unit: Path) -> None:
    """systemd knows every key of it, and rates what is left open at 2.0 at most."""
    arguments = ("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", unit)
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert "Unknown" not in done.stderr
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_verified(unit: Path, tmp_path: Path) -> None:
    """systemd finds nothing to say of it, once its program is there; and it is not root's."""
    text = unit.read_text()
    assert re.search(r"^User=rollback-(agent|exporter)$", text, re.MULTILINE)
    (tmp_path / unit.name).write_text(text.replace("/opt/rollback-agent/bin/rollback-agent", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_the_unit_leaves_a_running_command_alone() -> None:
    """A stop ends the agent alone, and waits longer than the agent does."""
    lines = UNIT.read_text().splitlines()
    assert {"KillMode=process", "TimeoutStopSec=20", "Restart=always"} <= set(lines)
