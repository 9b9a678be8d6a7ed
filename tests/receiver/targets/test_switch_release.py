"""The switch is one step, from the expected release only, and never out of the releases directory."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from receiver.targets import switch_release
from receiver.targets.switch_release import CHANGED, FAILED, MISSING, NOT_STARTABLE, live_release, switch

OLD_SWITCHED_AT = 1_000_000_000.0


def run(app: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as the wrapper runs it: no environment, isolated, its own file."""
    program = [sys.executable, "-I", "-S", switch_release.__file__, str(app), *arguments]
    return subprocess.run(program, env={}, capture_output=True, text=True, check=False)


def link(app: Path) -> str:
    """What `current` says."""
    return str((app / "current").readlink())


def test_switches_and_restarts(app: Path, tmp_path: Path) -> None:
    """The link is relative, the restart command runs after the switch, and its exit code is the program's."""
    script = f'readlink "{app}/current" > {tmp_path}/seen; exit 3'
    done = run(app, "r2", "r1", "--", "/bin/sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (3, "current: r2 -> r1\n", "")
    assert link(app) == "releases/r1"
    assert (tmp_path / "seen").read_text() == "releases/r1\n"
    assert sorted(path.name for path in app.iterdir()) == ["current", "releases", "switch.lock"]


def test_restart_arguments_are_handed_on_as_they_are(app: Path) -> None:
    """Spaces, dashes and empty arguments of the restart command reach it unchanged, and no shell sees them."""
    done = run(app, "r2", "r1", "--", "/usr/bin/printf", "[%s]", "a b", "--", "", "$(touch x)")
    assert done.stdout == "current: r2 -> r1\n[a b][--][][$(touch x)]"


def test_link_that_cannot_be_written_is_told_in_a_sentence(app: Path) -> None:
    """What the file system refuses is said without a traceback, and nothing is restarted."""
    (app / "switch.lock").mkdir()
    done = run(app, "r2", "r1", "--", "/usr/bin/printf", "restarted")
    assert (done.returncode, done.stderr) == (FAILED, "")
    assert done.stdout.startswith("r2 could not be switched to r1: ")
    assert link(app) == "releases/r2"


def test_restart_command_that_cannot_be_started_is_told(app: Path) -> None:
    """It is said which release is live by now, and what is not there."""
    done = run(app, "r2", "r1", "--", "/absent/restart")
    assert (done.returncode, done.stderr) == (NOT_STARTABLE, "")
    said = "/absent/restart cannot be started: No such file or directory"
    assert done.stdout == f"current: r2 -> r1\n{said}\n"


def test_restart_command_that_is_killed_has_the_shells_code(app: Path) -> None:
    """A command that a signal ended has 128 more than the signal's number."""
    assert run(app, "r2", "r1", "--", "/bin/sh", "-c", "kill -9 $$").returncode == 137


def full(app: Path, database: str, stop: str | None = "echo stopped", live: str = "r2") -> str:
    """The option of a full rollback: what was done is in the file `done`, with where `current` pointed then."""

    def step(script: str) -> list[str]:
        return ["/bin/sh", "-c", f'cd {app}; {{ echo "$0 at $(readlink current)" >> done; }}; {script}', script]

    return json.dumps({"stop": step(stop) if stop else [], "database": step(database)})


def restart(app: Path) -> tuple[str, ...]:
    return ("--", "/bin/sh", "-c", f'cd {app}; echo "restarted at $(readlink current)" >> done')


def test_full_takes_the_database_back_before_the_switch(app: Path) -> None:
    """Stop, database, switch, restart: the new release, which knows the way down, stays until the database is back."""
    done = run(app, "r2", "r1", "--full", full(app, "true"), *restart(app))
    assert (done.returncode, done.stderr, link(app)) == (0, "", "releases/r1")
    assert (app / "done").read_text().splitlines() == [
        "echo stopped at releases/r2", "true at releases/r2", "restarted at releases/r1",
    ]  # fmt: skip
    assert done.stdout == "stopped\nthe database was taken back\ncurrent: r2 -> r1\n"


def test_full_may_go_without_stopping(app: Path) -> None:
    """Where no command stops the services, the database goes back while they run."""
    done = run(app, "r2", "r1", "--full", full(app, "true", stop=None), *restart(app))
    assert (done.returncode, link(app)) == (0, "releases/r1")
    assert (app / "done").read_text().splitlines() == ["true at releases/r2", "restarted at releases/r1"]


@pytest.mark.parametrize(("stop", "database", "failed"), [("exit 5", "true", "stop"), ("true", "exit 5", "database")])
def test_full_that_fails_leaves_the_live_release_running(app: Path, stop: str, database: str, failed: str) -> None:
    """Where stopping or the database fails, the code is not switched, and what was stopped is started again."""
    done = run(app, "r2", "r1", "--full", full(app, database, stop=stop), *restart(app))
    assert (done.returncode, link(app)) == (5, "releases/r2")
    assert f"{failed}: /bin/sh ended with exit code 5; r2 stays live and is started again" in done.stdout
    assert (app / "done").read_text().splitlines()[-1] == "restarted at releases/r2"


@pytest.mark.parametrize(
    ("live", "target", "code"), [("r7", "r1", CHANGED), ("r1", "r2", CHANGED), ("r2", "r9", MISSING)]
)
def test_full_touches_no_database_where_the_switch_would_not_be_made(
    app: Path, live: str, target: str, code: int
) -> None:
    """Another live release, a target that is live already or one that is missing: the database is left alone."""
    done = run(app, live, target, "--full", full(app, "true"), *restart(app))
    assert (done.returncode, (app / "done").exists()) == (code, False)


def test_full_whose_switch_fails_says_how_far_it_came(app: Path) -> None:
    """A link that cannot be written after the database went back is told with both, and nothing is restarted."""
    database = f"rm {app}/current; mkdir {app}/current"
    done = run(app, "r2", "r1", "--full", full(app, database), *restart(app))
    assert (done.returncode, done.stderr) == (FAILED, "")
    assert done.stdout.endswith("the database has been taken back already, and the services may be stopped\n")
    assert "restarted" not in (app / "done").read_text()


def test_lock_is_held_while_the_database_goes_back(app: Path) -> None:
    """A deploy that takes the lock cannot come between the look and the switch, and the commands do not hold it."""
    probe = "flock --nonblock switch.lock true && echo free || echo held"
    done = run(app, "r2", "r1", "--full", full(app, f"({probe}) > during"), "--", "/bin/sh", "-c", f"cd {app}; {probe}")
    assert (app / "during").read_text() == "held\n"
    assert done.stdout.endswith("free\n")


def test_switches_only_from_the_release_of_the_plan(app: Path, tmp_path: Path) -> None:
    """Where another release is live, nothing is touched, nothing is restarted, and it is said."""
    done = run(app, "r7", "r1", "--", "/bin/sh", "-c", f"touch {tmp_path}/restarted")
    assert done.returncode == CHANGED
    assert done.stdout == "the live release is r2, not r7 as planned; nothing was touched\n"
    assert link(app) == "releases/r2"
    assert not (tmp_path / "restarted").exists()


def test_target_that_is_live_already_is_only_restarted(app: Path, tmp_path: Path) -> None:
    """After a crash between switch and restart, the link stays as it is and the restart is made up for."""
    done = run(app, "r1", "r2", "--", "/bin/sh", "-c", f"touch {tmp_path}/restarted")
    assert (done.returncode, done.stdout) == (0, "r2 is live already\n")
    assert (tmp_path / "restarted").exists()


@pytest.mark.parametrize(
    "target", ["r9", "", ".", "..", "../shared", "r1/../../shared", "/etc", "r1/", "REVISION-of-nothing"]
)
def test_target_that_is_no_release_is_refused(app: Path, target: str) -> None:
    """A directory that is not there or not one of `releases` is never switched to."""
    (app / "shared").mkdir()
    assert switch(app, "r2", target) == MISSING
    assert link(app) == "releases/r2"


def test_file_among_the_releases_is_no_release(app: Path) -> None:
    """A plain file in `releases` is nothing to switch to."""
    (app / "releases" / "r3").write_text("a file")
    assert switch(app, "r2", "r3") == MISSING


@pytest.mark.parametrize(
    "to", ["/etc", "shared", "releases", "releases/..", "releases/../..", "releases/r2/lib", "../r2"]
)
def test_link_that_points_outside_is_no_release(app: Path, to: str) -> None:
    """Where `current` points anywhere but to a directory of `releases`, there is no live release to switch from
    (T9).
    """
    (app / "current").unlink()
    (app / "current").symlink_to(to)
    with pytest.raises(ValueError, match="is no directory of"):
        live_release(app)
    assert switch(app, to, "r1") == CHANGED
    assert link(app) == to


def test_current_that_is_no_link_is_left_alone(app: Path) -> None:
    """A `current` that is a directory, or is not there, is never replaced."""
    (app / "current").unlink()
    assert switch(app, "r2", "r1") == CHANGED
    (app / "current").mkdir()
    assert switch(app, "r2", "r1") == CHANGED
    assert (app / "current").is_dir()
    assert not (app / "current").is_symlink()


@pytest.mark.parametrize("to", ["releases/r1", "./releases/r1", "releases/../releases/r1", "releases/r1/"])
def test_link_is_understood_however_it_is_written(app: Path, to: str) -> None:
    """Relative links with detours name the release as well."""
    (app / "current").unlink()
    (app / "current").symlink_to(to)
    assert live_release(app) == "r1"


def test_absolute_link_is_understood(app: Path) -> None:
    """The layout's original tool writes absolute links."""
    (app / "current").unlink()
    (app / "current").symlink_to(app / "releases" / "r1")
    assert live_release(app) == "r1"


def test_there_is_a_live_release_at_every_moment(app: Path) -> None:
    """While it switches back and forth, whoever looks always finds a complete release behind the link."""
    stop, seen, failures = threading.Event(), set(), []

    def look() -> None:
        while not stop.is_set():
            try:
                seen.add((app / "current" / "REVISION").read_text()[0])
            except OSError as error:
                failures.append(error)

    with_eyes = threading.Thread(target=look)
    with_eyes.start()
    for _ in range(100):
        assert switch(app, "r2", "r1") == 0
        assert switch(app, "r1", "r2") == 0
    stop.set()
    with_eyes.join()
    assert not failures
    assert seen == {"1", "2"}


def test_of_switches_at_once_one_wins(app: Path) -> None:
    """Of many processes that all want to leave r2, one switches; the others find another release live."""
    for number in range(6):
        (app / "releases" / f"t{number}").mkdir()
    program = [sys.executable, "-I", "-S", switch_release.__file__, str(app), "r2"]
    started = [subprocess.Popen([*program, f"t{number}", "--", "/bin/true"]) for number in range(6)]
    codes = sorted(process.wait() for process in started)
    assert codes == [0, *[CHANGED] * 5]


def test_waits_for_a_deploy_that_holds_the_lock(app: Path) -> None:
    """A deploy that holds switch.lock finishes first, and the switch then sees what it left."""
    with (app / "switch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = [sys.executable, "-I", "-S", switch_release.__file__, str(app), "r2", "r1", "--", "/bin/true"]
        waiting = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        assert waiting.poll() is None
        (app / "releases" / "r3").mkdir()
        (app / "next").symlink_to("releases/r3")
        (app / "next").replace(app / "current")
    assert waiting.communicate(timeout=30)[0].startswith("the live release is r3, not r2")
    assert waiting.returncode == CHANGED


def test_remains_of_an_interrupted_switch_do_no_harm(app: Path) -> None:
    """A new link that an interrupted switch left behind is neither followed nor in the way."""
    (app / f"current.new.{os.getpid()}").symlink_to("/etc")
    assert switch(app, "r2", "r1") == 0
    assert link(app) == "releases/r1"
