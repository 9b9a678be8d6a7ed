"""docs/tutorial.md, typed word for word in one shell, on a machine of its own: a network with nothing but loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.acceptance.stand import REPOSITORY

ALONE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
os.execvp(sys.argv[1], sys.argv[1:])
"""
TYPED = re.findall(r"^```sh\n(.*?)^```", (REPOSITORY / "docs" / "tutorial.md").read_text(), re.DOTALL | re.MULTILINE)
OF_THE_WHEEL = ("receiver", "exporters", "alert-rules", "configfile.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the tutorial takes from a checkout in which `make release` has run: its dist/ and alert-rules/."""
    made = tmp_path / "checkout"
    listed = ("git", "ls-files", "-z", *OF_THE_WHEEL)
    tracked = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True).stdout
    for name in tracked.strip("\0").split("\0"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, made / name, follow_symlinks=False)
    uv = Path(sys.executable).parent / "uv"
    build = (uv, "build", "-q", "--offline", "--no-build-isolation", "--python", sys.executable, "--wheel", made)
    built = subprocess.run(build, capture_output=True, text=True, timeout=600, check=False)
    assert built.returncode == 0, built.stderr
    shutil.copy(REPOSITORY / "requirements" / "runtime.lock", made / "dist" / "rollback-agent-0.lock")
    return made


def already_there(directory: Path) -> Path:
    """The locked packages, from where these tests run, so that nothing is fetched; without the agent itself."""
    directory.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "rollback_agent" not in package.name and package.suffix != ".pth":
            (directory / package.name).symlink_to(package)
    return directory


def test_the_tutorial_can_be_followed(tmp_path: Path, checkout: Path) -> None:
    """From the installation of the wheel to the verified rollback and the cleaning up, every line does its work."""
    probed = subprocess.run((*ALONE, "true"), capture_output=True, text=True, timeout=60, check=False)
    if probed.returncode != 0:
        pytest.skip(f"missing: a network and processes of one's own need unshare(1): {probed.stderr.strip()}")
    script = tmp_path / "typed.sh"
    script.write_text("\n".join(("set -euo pipefail", *TYPED)))
    work, log = tmp_path / "work", tmp_path / "printed.txt"
    work.mkdir()
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "CHECKOUT": str(checkout),
        "PYTHONPATH": str(already_there(tmp_path / "packages")),
        "PIP_NO_INDEX": "1",
    }
    command = (*ALONE, sys.executable, "-c", LOOPBACK_UP, "bash", script)
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=work, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=3600, check=False
        )
    printed = log.read_text()
    said = "".join(f"\n--- {file.name}\n{file.read_text()[-1500:]}" for file in work.glob("greeter/*.log"))
    assert done.returncode == 0, printed[-4000:] + said
    assert re.search(r"Hello, guest \d+!", printed)
    assert "Approved as" in printed
    assert "restored" in printed
    assert "release 2 is held" in printed
    assert list(work.iterdir()) == []
