"""A release is made of the tracked files, the same each time, and its bill of materials names what is locked."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
TOOL = REPOSITORY / ".tools" / "release"


def release(directory: Path) -> Path:
    """What `make release` writes, in `directory`."""
    if not (TOOL / ".installed").exists():
        pytest.skip("missing: .tools/release, which `make test` and `make release` make")
    command = (REPOSITORY / "scripts" / "release", directory, sys.prefix, TOOL)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_a_release_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    """Built twice it has the same sums; the wheel holds every tracked file, the bill every locked package and hash."""
    made, again = release(tmp_path / "first"), release(tmp_path / "second")

    sums = dict(reversed(line.split("  ")) for line in (made / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made.iterdir() if path.name != "SHA256SUMS"
    }
    assert (again / "SHA256SUMS").read_text() == (made / "SHA256SUMS").read_text()
    (wheel,) = made.glob("*.whl")
    tracked = subprocess.run(
        ("git", "ls-files", "receiver", "exporters", "configfile.py", "alert-rules/*.rules.yml"),
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True,
    ).stdout.split()  # fmt: skip
    expected = {re.sub(r"^alert-rules/", "receiver/alert-rules/", path) for path in tracked} - {"receiver/alert-rules"}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected

    (lock,), (bill,) = made.glob("*.lock"), made.glob("*.cdx.json")
    assert lock.read_text() == (REPOSITORY / "requirements" / "runtime.lock").read_text()
    text = lock.read_text().replace("\\\n", " ")
    locked = {
        (name, version): set(re.findall(r"--hash=sha256:(\w+)", rest))
        for name, version, rest in re.findall(r"^([\w.-]+)==([^ ;]+)(.*)$", text, re.MULTILINE)
    }
    found = json.loads(bill.read_text())
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["name"] == "rollback-agent"
    assert locked
    assert locked == {
        (one["name"], one["version"]): {
            told["content"] for place in one["externalReferences"] for told in place["hashes"]
        }
        for one in found["components"]
    }
