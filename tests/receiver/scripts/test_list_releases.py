"""`list-releases.sh` tells the live release and the complete ones, and says so when it cannot."""

from __future__ import annotations

import pytest

from tests.receiver.scripts.copied import Scripts


def test_live_release_with_commit_and_time(scripts: Scripts) -> None:
    """The live release is where `current` points, since the link was put there."""
    made = int((scripts.app / "current").lstat().st_ctime)
    assert scripts.run("list-releases.sh", "--live").stdout == f"r2 {'2' * 40} {made}\n"


def test_known_are_the_complete_ones(scripts: Scripts) -> None:
    """A directory without a commit, a file and an odd name are no releases."""
    (scripts.app / "releases" / "r3" / "REVISION").write_text("main\n")
    (scripts.app / "releases" / "two words").mkdir()
    (scripts.app / "releases" / "file").touch()
    done = scripts.run("list-releases.sh")
    assert (done.returncode, done.stdout) == (0, f"r1 {'1' * 40}\nr2 {'2' * 40}\n")


@pytest.mark.parametrize("to", ["/etc", "releases", "releases/r2/lib", "releases/-rf"])
def test_link_that_leads_elsewhere_is_no_release(scripts: Scripts, to: str) -> None:
    """Where `current` is no link to a directory of releases, nothing is live, and that is an error."""
    (scripts.app / "current").unlink()
    (scripts.app / "current").symlink_to(to)
    done = scripts.run("list-releases.sh", "--live")
    assert (done.returncode, done.stdout) == (66, "")
    assert "is no link to a directory of" in done.stderr


def test_what_cannot_be_read_is_told(scripts: Scripts) -> None:
    """Without a directory of releases there is no list, and wrong options are wrong usage."""
    (scripts.app / "releases").rename(scripts.app / "gone")
    done = scripts.run("list-releases.sh")
    assert (done.returncode, "cannot be read" in done.stderr) == (66, True)
    assert scripts.run("list-releases.sh", "--all").returncode == 64
