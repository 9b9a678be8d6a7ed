"""The Containerfile makes a small image that is not root's, of packages that are known by their hashes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from receiver import __version__

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "Containerfile").read_text()
INSTRUCTIONS = [line for line in TEXT.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
HADOLINT = Path(sys.executable).parent / "hadolint"
BUILD = INSTRUCTIONS[: INSTRUCTIONS.index(next(line for line in INSTRUCTIONS if line.endswith("AS agent")))]


def test_its_images_are_pinned_and_it_is_not_root() -> None:
    """Each image by its whole version, and the user by number, so that Kubernetes can tell it is not root."""
    stages = set(re.findall(r" AS (\w+)$", TEXT, re.MULTILINE))
    images = {*re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE), *re.findall(r"--from=(\S+)", TEXT)} - stages
    assert all(re.search(r":v?\d+\.\d+\.\d+", image) for image in images), images
    assert "USER 65532:65532" in INSTRUCTIONS
    assert INSTRUCTIONS[-1] == "FROM agent"


def test_every_package_is_installed_by_its_hash() -> None:
    """No pip installs from the network without; what is built here needs nothing else to be built."""
    for command in re.findall(r"pip (?:install|wheel)[^&]*", "\n".join(INSTRUCTIONS)):
        assert "--require-hashes" in command or "--no-deps" in command, command
        assert "wheel" not in command or "--no-build-isolation" in command or "wheels/*.whl" in command


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no package for this machine")
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    """And it would: a RUN without a pinned package is found."""
    done = subprocess.run(
        [HADOLINT, REPOSITORY / "Containerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "Containerfile").write_text("FROM debian\nRUN pip install flask\n")
    found = subprocess.run(
        [HADOLINT, tmp_path / "Containerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert "DL3006" in found.stdout


def test_its_steps_work(tmp_path: Path) -> None:
    """The COPY and RUN lines of the first stage, one after the other in a directory, make an agent that runs alone."""
    source, made = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for line in BUILD:
        name, _, rest = line.partition(" ")
        if name == "COPY":
            *files, into = rest.split()
            for file in files:
                target = source / into / Path(file).name if into.endswith("/") else source / into
                target.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (REPOSITORY / file).is_dir() else shutil.copy
                copy(REPOSITORY / file, target, **({"symlinks": True} if copy is shutil.copytree else {}))
        elif name == "RUN":
            script = re.sub(r"python3 -m venv", f"{sys.executable} -m venv", rest).replace("/opt/", f"{made}/")
            done = subprocess.run(
                ["/bin/sh", "-euc", script.replace("--no-cache-dir ", "")],
                cwd=source, capture_output=True, text=True, timeout=1200, check=False,
            )  # fmt: skip
            if re.search(
                "Max retries exceeded|NewConnectionError|ReadTimeout|ConnectionReset|Could not find a version",
                done.stderr,
            ):
                pytest.skip("no package index can be reached")
            assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source)
    agent = made / "rollback-agent" / "bin" / "rollback-agent"
    said = subprocess.run([agent, "--version"], capture_output=True, text=True, timeout=120, check=True, cwd="/")
    assert said.stdout.strip() == f"rollback-agent, version {__version__}"
    python = made / "rollback-agent" / "bin" / "python"
    script = "from receiver.rules.files import SHIPPED; print(len(list(SHIPPED.glob('*.rules.yml'))))"
    rules = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=120, check=True, cwd="/")
    assert int(rules.stdout) == len(list((REPOSITORY / "alert-rules").glob("*.rules.yml")))
    assert subprocess.run([python, "-m", "pip"], capture_output=True, timeout=120, check=False).returncode != 0


def test_what_is_copied_reaches_the_builder() -> None:
    """The list of what is ignored lets through what the first stage copies, and no test, secret or history."""
    kept = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {file.split("/")[0] for line in BUILD if line.startswith("COPY") for file in line.split()[1:-1]}
    assert copied == kept
