"""`emergency-rollback.sh` switches from the expected release only, database first, and a dry run changes nothing."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.receiver.scripts.copied import RESTART, Scripts

SCRIPT = "emergency-rollback.sh"
PLAN = {"ROLLBACK_LIVE_RELEASE": "r2", "ROLLBACK_TARGET_RELEASE": "r1"}


def everything(directory: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in directory.rglob("*"))


def test_fast_switches_and_restarts(scripts: Scripts) -> None:
    """The link is relative and made anew in one step, and the services are restarted once it is there."""
    done = scripts.run(SCRIPT, "--fast", "--auto-confirm", **PLAN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "current: r2 -> r1\n", "")
    assert (scripts.live, scripts.restarted) == ("r1", ["releases/r1"])
    assert sorted(path.name for path in scripts.app.iterdir()) == ["current", "releases", "restarts", "switch.lock"]


def test_by_hand_it_goes_to_the_release_before(scripts: Scripts) -> None:
    """Without the agent's plan it goes from what is live to the complete release whose name sorts right before it."""
    scripts.run(SCRIPT, "--fast", "--auto-confirm")
    assert scripts.live == "r1"
    done = scripts.run(SCRIPT, "--fast", "--auto-confirm")
    assert (done.returncode, done.stderr) == (66, "there is no release before r1\n")


@pytest.mark.parametrize("level", ["--fast", "--full"])
def test_dry_run_changes_nothing(scripts: Scripts, level: str) -> None:
    """It says what would be done; no file is made or changed, not even the lock."""
    before = everything(scripts.app)
    done = scripts.run(SCRIPT, level, "--dry-run", "--auto-confirm")
    assert (done.returncode, done.stderr) == (0, "")
    assert "dry run, nothing is changed" in done.stdout
    assert ("database" in done.stdout) == (level == "--full")
    assert everything(scripts.app) == before


def test_only_from_the_release_of_the_plan(scripts: Scripts) -> None:
    """Where another release is live, nothing is touched."""
    done = scripts.run(SCRIPT, "--fast", "--auto-confirm", **PLAN | {"ROLLBACK_LIVE_RELEASE": "r3"})
    assert (done.returncode, done.stderr) == (65, "the live release is r2, not r3; nothing was touched\n")
    assert (scripts.live, scripts.restarted) == ("r2", [])


@pytest.mark.parametrize("target", ["r9", "..", "../shared", "/etc", "-rf", "r1 r3", "$(reboot)", "r1/"])
def test_only_to_a_release(scripts: Scripts, target: str) -> None:
    """What is no directory of `releases` is never switched to."""
    done = scripts.run(SCRIPT, "--fast", "--auto-confirm", **PLAN | {"ROLLBACK_TARGET_RELEASE": target})
    assert (done.returncode, scripts.live, scripts.restarted) == (66, "r2", [])


@pytest.mark.parametrize(("answer", "live"), [("r1\n", "r1"), ("yes\n", "r2"), ("", "r2")])
def test_a_person_confirms_with_the_release(scripts: Scripts, answer: str, live: str) -> None:
    """Without --auto-confirm the id has to be typed, and the end of the input is no consent."""
    done = scripts.run(SCRIPT, "--fast", answer=answer)
    assert (scripts.live, done.returncode) == (live, 0 if live == "r1" else 1)


@pytest.mark.parametrize("options", [(), ("--auto-confirm",), ("--fast", "--full"), ("--fast", "r1"), ("--slow",)])
def test_wrong_usage_touches_nothing(scripts: Scripts, options: tuple[str, ...]) -> None:
    """Exactly one level is needed, and nothing that the script does not know."""
    done = scripts.run(SCRIPT, *options)
    assert (done.returncode, scripts.live) == (64, "r2")
    assert done.stderr.startswith("usage: ")


def test_full_takes_the_database_back_before_the_switch(scripts: Scripts) -> None:
    """The services are stopped, the database goes back while the newer release is still there, then the code."""
    scripts.set(more='take_database_back() { echo "$1 to $2 at $(readlink $app/current)" >> $app/steps; }')
    done = scripts.run(SCRIPT, "--full", "--auto-confirm", **PLAN)
    assert (done.returncode, scripts.live, scripts.restarted) == (0, "r1", ["releases/r1"])
    assert (scripts.app / "steps").read_text().splitlines() == ["stopped", "r2 to r1 at releases/r2"]


@pytest.mark.parametrize(
    ("more", "code"),
    [("take_database_back() { false; echo never; }", 1), ("stop() { return 3; }", 3), ("stop() { exit 4; }", 4)],
)
def test_full_that_cannot_take_the_database_back_starts_what_it_stopped(scripts: Scripts, more: str, code: int) -> None:
    """The code is not switched, the live release is started again, and the exit code is that of what failed."""
    scripts.set(more=more)
    done = scripts.run(SCRIPT, "--full", "--auto-confirm", **PLAN)
    assert (done.returncode, scripts.live, scripts.restarted) == (code, "r2", ["releases/r2"])
    assert f"failed with exit code {code}: r2 stays live" in done.stderr
    assert "never" not in done.stdout


def test_restart_that_fails_is_the_exit_code(scripts: Scripts) -> None:
    """The first error of a restart of several commands counts."""
    scripts.set(restart=f"{RESTART}\n(exit 7)\ntrue")
    done = scripts.run(SCRIPT, "--fast", "--auto-confirm", **PLAN)
    assert (done.returncode, scripts.live) == (7, "r1")


def test_waits_for_a_deploy_and_then_looks_again(scripts: Scripts) -> None:
    """Whoever holds switch.lock finishes first, and what it left is seen."""
    with (scripts.app / "switch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            [scripts.directory / SCRIPT, "--fast", "--auto-confirm"],
            env={"PATH": "/usr/bin:/bin", **PLAN},
            stderr=subprocess.PIPE,
            text=True,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        (scripts.app / "next").symlink_to("releases/r3")
        (scripts.app / "next").replace(scripts.app / "current")
    assert waiting.communicate(timeout=30)[1] == "the live release is r3, not r2; nothing was touched\n"
    assert waiting.returncode == 65


def test_what_is_restarted_does_not_hold_the_lock(scripts: Scripts) -> None:
    """A service that a restart leaves running keeps no later rollback waiting."""
    scripts.set(restart='sleep 60 >/dev/null 2>&1 & echo "$!" > "$app/service"')
    scripts.run(SCRIPT, "--fast", "--auto-confirm", **PLAN)
    try:
        with (scripts.app / "switch.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        subprocess.run(["kill", (scripts.app / "service").read_text().strip()], check=True)


def test_switch_that_fails_says_how_far_it_came(scripts: Scripts) -> None:
    """Where the link cannot be made after the database went back, a person must know both."""
    scripts.set(more='take_database_back() { rm "$app/current"; mkdir "$app/current"; }')
    done = scripts.run(SCRIPT, "--full", "--auto-confirm", **PLAN)
    assert (done.returncode, scripts.restarted) == (74, [])
    assert "the database has been taken back already, and the services are stopped" in done.stderr
    assert done.stderr.endswith("r2 could not be switched to r1\n")
