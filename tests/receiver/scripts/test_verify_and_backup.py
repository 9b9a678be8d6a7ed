"""`verify-rollback.sh` says whether the deployment is well; `backup-current-state.sh` keeps all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.backup.manifest import read_back
from tests.receiver.scripts.copied import Scripts

VERIFY, BACK_UP = "verify-rollback.sh", "backup-current-state.sh"


@pytest.mark.parametrize(("check", "code"), [("true", 0), ("false; true", 1), ("exit 9", 1)])
def test_check_only_asks_once(scripts: Scripts, check: str, code: int) -> None:
    """It ends with 0 or 1, as the operations guide's loop expects, and the first failing check counts."""
    scripts.set(more=f'check() {{ echo asked >> "$app/asked"; {check}; }}')
    done = scripts.run(VERIFY, "--check-only")
    assert (done.returncode, (scripts.app / "asked").read_text()) == (code, "asked\n")


def test_verifies_three_times_in_a_row(scripts: Scripts) -> None:
    """A check that fails in between starts the count anew."""
    scripts.set(more='check() { echo asked >> "$app/asked"; [ "$(wc -l < "$app/asked")" -ne 2 ]; }')
    done = scripts.run(VERIFY, ROLLBACK_TARGET_RELEASE="r2")
    assert (done.returncode, done.stdout) == (0, "well three times in a row\n")
    assert (scripts.app / "asked").read_text().count("asked") == 5


def test_what_does_not_become_well_is_told(scripts: Scripts) -> None:
    """After `verify_within` it gives up; and a release that is not the plan's is not verified at all."""
    scripts.set(more="check() { false; }\nverify_within=1")
    done = scripts.run(VERIFY)
    assert (done.returncode, done.stderr) == (1, "not well three times in a row within 1 s\n")
    done = scripts.run(VERIFY, ROLLBACK_TARGET_RELEASE="r1")
    assert (done.returncode, done.stderr) == (1, "r2 is live, not r1\n")
    assert scripts.run(VERIFY, "--quick").returncode == 64


def backups(scripts: Scripts) -> list[Path]:
    return sorted((scripts.directory.parent / "backups").iterdir())


def test_backup_is_complete_and_has_the_agents_manifest(scripts: Scripts) -> None:
    """What is kept is read back, and the agent reads it back too."""
    scripts.set(more='back_up() { mkdir "$1/sub"; cp "$app/releases/r1/REVISION" "$1/sub/kept"; }')
    done = scripts.run(BACK_UP)
    assert (done.returncode, done.stderr) == (0, "")
    (made,) = backups(scripts)
    assert made.name.startswith("state-")
    assert read_back(made).files == 4
    assert (made / "live-release").read_text().startswith("r2 ")
    assert (made / "sub" / "kept").read_text() == "1" * 40 + "\n"
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("body", "code"), [("false; true", 1), ("exit 5", 5), ('touch "$1/odd name"', 65), ('ln -s /etc "$1/link"', 65)]
)
def test_backup_that_fails_leaves_nothing(scripts: Scripts, body: str, code: int) -> None:
    """Whatever fails, there is no directory that could be taken for a backup."""
    scripts.set(more=f"back_up() {{ {body}; }}")
    done = scripts.run(BACK_UP)
    assert (done.returncode, backups(scripts)) == (code, [])
