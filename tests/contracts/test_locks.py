"""Everything that is installed is named by its version and its hashes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

LOCKS = sorted((Path(__file__).parents[2] / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_dependency_is_pinned_with_its_hashes(lock: Path) -> None:
    """No line of a lock names a package without a version and a hash, and none names an address (T22)."""
    text = lock.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line


def test_a_package_that_was_changed_is_not_installed(tmp_path: Path) -> None:
    """pip refuses a file whose hash is another one, before anything of it runs (T22)."""
    package = tmp_path / "changed-1.0-py3-none-any.whl"
    package.write_bytes(b"this is not what was locked")
    lock = tmp_path / "a.lock"
    lock.write_text(f"changed==1.0 --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path), "--target"]
    done = subprocess.run(
        [*command, str(tmp_path / "into"), "--require-hashes", "-r", str(lock)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "into").exists()
