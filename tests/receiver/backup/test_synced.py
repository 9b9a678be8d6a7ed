"""What a backup consists of is on disk before it has its name; strace shows the system calls, or lets them fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.receiver.backup.kept import NAME, names_in

REPOSITORY = Path(__file__).parents[3]
KEEP = """
import sys
from pathlib import Path
from receiver.config.deployment import Backups
from receiver.errors import BackupError
from tests.receiver.backup.kept import keep
try:
    keep(Backups(paths=(Path(sys.argv[1]),)), Path(sys.argv[2]), texts={"plan.json": "{}"})
except BackupError as error:
    print(error)
"""


def traced(shared: Path, into: Path, *options: str | Path) -> str:
    """What a process that keeps `shared` in `into` prints under strace."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    watched = [strace, *options, sys.executable, "-c", KEEP, shared, into]
    done = subprocess.run(watched, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if "PTRACE" in done.stderr:
        pytest.skip("strace may not watch processes here")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_of_it_is_synced_before_it_has_its_name(shared: Path, into: Path, tmp_path: Path) -> None:
    """Each file and each directory of it, then it is renamed, then the directory of that name is synced."""
    calls = tmp_path / "calls"
    assert traced(shared, into, "-f", "-y", "-o", calls, "-e", "trace=fsync,rename,renameat,renameat2") == ""

    before, renamed, after = calls.read_text().partition(f'"{into / NAME}")')
    synced = {Path(path) for path in re.findall(r"fsync\(\d+<(.*)>\) += 0", before)}
    copy = into / NAME
    expected = {path for path in (copy, *copy.rglob("*")) if not path.is_symlink()}
    assert len(expected) > 8
    assert {into / ".partial-run1" / path.relative_to(copy) for path in expected} - synced == set()
    assert renamed
    assert re.findall(r"fsync\(\d+<(.*)>\) += 0", after) == [str(into)]


@pytest.mark.parametrize("failing", [".partial-run1/paths/0/shared/settings.env", ""], ids=["a file", "its name"])
def test_one_that_was_not_synced_is_none(shared: Path, into: Path, failing: str) -> None:
    """Where fsync fails, there is an error and nothing that could be taken for a backup."""
    printed = traced(shared, into, "-qq", "-P", into / failing, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO")
    assert printed == "the backup could not be made: [Errno 5] Input/output error\n"
    assert names_in(into) == []
