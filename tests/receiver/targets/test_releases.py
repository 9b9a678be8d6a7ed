"""The `releases` target tells which release is live, which are complete, and the command of a plan."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from receiver.config.targets import ReleasesTarget
from receiver.errors import TargetError
from receiver.model import Level, Release
from receiver.target_check import faults
from receiver.targets import switch_release
from receiver.targets.releases import ReleasesDirectory


@pytest.fixture
def target(app: Path) -> ReleasesDirectory:
    restart = ["/usr/bin/supervisorctl", "restart", "all"]
    return ReleasesDirectory(ReleasesTarget.model_validate({"path": app, "restart": restart, "timeout": "90s"}))


def test_live_release_is_where_current_points(app: Path, target: ReleasesDirectory) -> None:
    """The live release has its commit, and is live since the link was made, not since its directory was changed."""
    made = (app / "current").lstat().st_ctime
    time.sleep(0.02)
    (app / "releases" / "r2" / "new").touch()
    assert target.live() == Release("r2", "2" * 40, live_since=made)


def test_live_is_since_the_link_was_put_there(app: Path, target: ReleasesDirectory) -> None:
    """A link that was prepared, or made elsewhere, two hours ago is live only since it is `current`."""
    prepared = app / "prepared"
    prepared.symlink_to("releases/r1")
    os.utime(prepared, (time.time() - 7200,) * 2, follow_symlinks=False)
    began = time.time()
    prepared.rename(app / "current")

    live = target.live()

    assert live.id == "r1"
    assert began - 1 < (live.live_since or 0) < time.time() + 1


@pytest.mark.parametrize("name", [b"not-utf-8-\xff", b"red\x1b[31m", b"two\nlines", b"-rf"])
def test_live_release_with_another_name_is_an_error(app: Path, target: ReleasesDirectory, name: bytes) -> None:
    """What a terminal, a database or a command could stumble over is not taken for the live release."""
    (app / "current").unlink()
    (app / "current").symlink_to(os.fsdecode(b"releases/" + name))
    with pytest.raises(TargetError, match="is no release id") as caught:
        target.live()
    assert str(caught.value).isprintable()


def test_known_are_all_complete_releases(target: ReleasesDirectory) -> None:
    """Every directory with a commit is a release, with nothing known of when it was live."""
    assert target.known() == (Release("r1", "1" * 40), Release("r2", "2" * 40))


@pytest.mark.parametrize("revision", ["", "main\n", "abc123", "xyz" * 13, "1" * 65, "$(touch x)", "1234567 8901234"])
def test_release_without_a_commit_is_not_complete(app: Path, target: ReleasesDirectory, revision: str) -> None:
    """A release whose REVISION holds no commit may be half unpacked, so it is nothing to roll back to."""
    (app / "releases" / "r1" / "REVISION").write_text(revision)
    assert [release.id for release in target.known()] == ["r2"]


def test_release_without_revision_is_live_but_not_known(app: Path, target: ReleasesDirectory) -> None:
    """A live release without REVISION is still told as live, without a commit, and is no target."""
    (app / "releases" / "r2" / "REVISION").unlink()
    assert (target.live().id, target.live().commit) == ("r2", None)
    assert [release.id for release in target.known()] == ["r1"]
    (app / "releases" / "r1" / "REVISION").write_bytes(b"\xff\xfe")
    assert target.known() == ()


@pytest.mark.parametrize("name", [".hidden", "-rf", "with space", "two\nlines", "x" * 129, "@daily", "caf\xe9"])
def test_directory_with_another_name_is_no_release(app: Path, target: ReleasesDirectory, name: str) -> None:
    """A name that could be an option, a path or more than one word is not taken for a release."""
    shutil.copytree(app / "releases" / "r1", app / "releases" / name)
    assert [release.id for release in target.known()] == ["r1", "r2"]


def test_file_among_the_releases_is_no_release(app: Path, target: ReleasesDirectory) -> None:
    """Only directories are releases."""
    (app / "releases" / "r3").write_text("3" * 40)
    assert [release.id for release in target.known()] == ["r1", "r2"]


def test_what_cannot_be_read_is_an_error(app: Path, target: ReleasesDirectory) -> None:
    """A link that is gone or points outside, and a directory that is gone, are errors that name the path."""
    (app / "current").unlink()
    with pytest.raises(TargetError, match=f"{app}/current: cannot be read as the live release: .*No such file"):
        target.live()
    (app / "current").symlink_to("/etc")
    with pytest.raises(TargetError, match="it points to /etc, which is no directory of"):
        target.live()
    shutil.rmtree(app / "releases")
    with pytest.raises(TargetError, match=f"{app}/releases: cannot be listed: No such file or directory"):
        target.known()


def test_command_switches_and_restarts(app: Path, target: ReleasesDirectory) -> None:
    """The command of a fast plan is absolute, and the restart command follows after a separator."""
    command = target.command(Level.FAST, Release("r2", None), Release("r1", "1" * 40))
    program = (sys.executable, "-I", "-S", switch_release.__file__)
    assert command == (*program, str(app), "r2", "r1", "--", "/usr/bin/supervisorctl", "restart", "all")
    assert Path(command[0]).is_absolute()
    assert target.time_limit(Level.FAST) == 90


def test_full_rollback_is_not_offered(target: ReleasesDirectory) -> None:
    """Without commands for the database a full rollback is refused, and a person is named as the way."""
    with pytest.raises(TargetError, match="a full rollback of the releases target is not configured; a person must"):
        target.command(Level.FULL, Release("r2", None), Release("r1", "1" * 40))


def test_full_command_holds_every_command(app: Path) -> None:
    """What stops the services and takes the database back stands in the plan, and so in the hash that is approved."""
    full = {"stop": ["/bin/systemctl", "stop", "qrl"], "database": ["/srv/undo", "--then", "x"], "timeout": "1h"}
    config = {"path": app, "restart": ["/bin/systemctl", "start", "qrl"], "full": full}
    target = ReleasesDirectory(ReleasesTarget.model_validate(config))
    command = target.command(Level.FULL, Release("r2", None), Release("r1", "1" * 40))
    option = '{"stop": ["/bin/systemctl", "stop", "qrl"], "database": ["/srv/undo", "--then", "x"]}'
    assert command[5:] == ("r2", "r1", "--full", option, "--", "/bin/systemctl", "start", "qrl")
    assert "--full" not in target.command(Level.FAST, Release("r2", None), Release("r1", "1" * 40))
    assert target.programs(Level.FULL) == ("/bin/systemctl", "/srv/undo", "/bin/systemctl")
    assert target.programs(Level.FAST) == ("/bin/systemctl",)
    assert (target.time_limit(Level.FULL), target.time_limit(Level.FAST)) == (3600, 300)


def test_faults_name_what_keeps_it_from_switching(app: Path, target: ReleasesDirectory) -> None:
    """A missing program, a directory without another release, and a link that cannot be read are sentences."""
    restart = app / "restart"
    target = ReleasesDirectory(ReleasesTarget.model_validate({"path": app, "restart": [str(restart)]}))
    restart.touch(0o755)
    assert faults(target) == ()
    restart.unlink()
    shutil.rmtree(app / "releases" / "r1")
    missing = f"{restart}: No such file or directory"
    assert faults(target) == (missing,)
    shutil.rmtree(app)
    _, unreadable, unwritable = faults(target)
    full = {"database": ["/no/such/undo"]}
    config = {"path": app, "restart": [str(restart)], "full": full}
    target = ReleasesDirectory(ReleasesTarget.model_validate(config))
    assert "/no/such/undo: No such file or directory" in faults(target)
    assert unreadable.startswith(f"{app}/current: cannot be read as the live release")
    assert unwritable == f"{app}: the agent may not write there, so `current` cannot be switched"


@pytest.mark.parametrize(
    "name", ["", "..", "../r1", "/etc", "-r", "r1/..", "r 1", "r1\n", "r1;reboot", "$(reboot)", "r\x00"]
)
def test_id_that_is_no_name_never_reaches_a_command(target: ReleasesDirectory, name: str) -> None:
    """Neither the live nor the target release may be anything but a plain name (T4, T9)."""
    odd, plain = Release(name, "1" * 40), Release("r1", "1" * 40)
    for live, to in ((odd, plain), (plain, odd)):
        with pytest.raises(TargetError, match="is no release id"):
            target.command(Level.FAST, live, to)
