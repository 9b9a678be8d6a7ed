"""The `script` target reads its releases through list-releases.sh and rolls back through the guide's three scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.config.targets import ScriptTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets.script import Scripts

R1, R2 = Release("r1", "1" * 40), Release("r2", None)


@pytest.fixture
def target(tmp_path: Path) -> Scripts:
    listing(tmp_path, f'[ "$1" = --live ] && echo "r2 - 1700000000.5" || printf "%s\\n" "r1 {"1" * 40}" r2')
    for name in ("backup-current-state.sh", "emergency-rollback.sh", "verify-rollback.sh"):
        write(tmp_path / name, "exit 0")
    return Scripts(ScriptTarget.model_validate({"directory": tmp_path, "timeout": "20m", "read_timeout": "2s"}))


def write(script: Path, body: str) -> None:
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)


def listing(directory: Path, body: str) -> None:
    write(directory / "list-releases.sh", body)


def test_reads_the_live_and_the_known_releases(target: Scripts) -> None:
    """A line is the id, then the commit and the time as far as they are known."""
    assert target.live() == Release("r2", None, 1700000000.5)
    assert target.known() == (R1, R2)


@pytest.mark.parametrize("line", ["-rf", "r2 - yesterday", "r2 - nan", "r2 - 1 more", "../r2", "r2 - -5", "r2 - 1e99"])
def test_odd_line_is_an_error(tmp_path: Path, target: Scripts, line: str) -> None:
    """What is no release is told with the line, and is never taken for one."""
    listing(tmp_path, f"echo '{line}'")
    with pytest.raises(TargetError, match=f"list-releases.sh printed '{line}', which is no release"):
        target.live()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("true", "--live printed 0 releases, not one"),
        ("echo r1; echo r2", "--live printed 2 releases, not one"),
        ("echo it is broken >&2; exit 3", "ended with exit code 3: it is broken"),
        ("sleep 60", "did not end within 2 s"),
    ],
)
def test_without_one_live_release_there_is_an_error(tmp_path: Path, target: Scripts, body: str, why: str) -> None:
    """None, two, a failure and a hanging script are errors that say so."""
    listing(tmp_path, body)
    with pytest.raises(TargetError, match=why):
        target.live()


@pytest.mark.parametrize("level", [Level.FAST, Level.FULL])
def test_command_is_the_guides(tmp_path: Path, target: Scripts, level: Level) -> None:
    """Back up, roll back at the level without asking, verify: if list-releases.sh still tells the plan's release."""
    command = " ".join(target.command(level, R2, R1)[4:])
    told = "/usr/bin/env ROLLBACK_LIVE_RELEASE=r2 ROLLBACK_TARGET_RELEASE=r1"
    assert command == (
        f"r2 --ask {tmp_path}/list-releases.sh --live --then {tmp_path}/backup-current-state.sh"
        f" --then {told} {tmp_path}/emergency-rollback.sh --{level} --auto-confirm"
        f" --then {told} {tmp_path}/verify-rollback.sh"
    )
    assert target.time_limit(level) == 1200


def test_rollback_script_is_never_called_to_read(tmp_path: Path, target: Scripts) -> None:
    """A script that changes things could misunderstand an option, so reading has a script of its own."""
    write(tmp_path / "emergency-rollback.sh", f"touch {tmp_path}/called")
    target.live()
    target.known()
    faults(target)
    assert not (tmp_path / "called").exists()


def test_faults_name_what_is_missing(tmp_path: Path, target: Scripts) -> None:
    """All is well, or each script that cannot be started and each answer that does not come is a sentence."""
    assert faults(target) == ()
    (tmp_path / "verify-rollback.sh").unlink()
    (tmp_path / "emergency-rollback.sh").chmod(0o644)
    listing(tmp_path, "echo r2")
    assert faults(target) == (
        f"{tmp_path}/emergency-rollback.sh is not executable",
        f"{tmp_path}/verify-rollback.sh: No such file or directory",
    )
    listing(tmp_path, "exit 1")
    assert faults(target)[-1] == f"{tmp_path}/list-releases.sh ended with exit code 1: it said nothing"
