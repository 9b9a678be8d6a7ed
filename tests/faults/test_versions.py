"""Two versions of the program at work on one journal, as while replicas are upgraded one after the other."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from receiver.journal.schema import newest
from tests.acceptance.stand import GOOD
from tests.faults.replicas import replicas
from tests.postgres import Postgres

REPOSITORY = Path(__file__).parents[2]
MIGRATIONS = "receiver/journal/migrations/versions"
PARTS = ("receiver", "exporters", "configfile.py", "alert-rules")
LONG = 60.0


def brought_the_newest_schema() -> str:
    """The oldest commit whose program works on the newest schema."""
    found = git("log", "--diff-filter=A", "--format=%H", "--", f"{MIGRATIONS}/{newest()}_*.py").decode().split()
    if not found:
        pytest.skip("this clone has no commit that brought the newest schema")
    return found[-1]


def program_of(commit: str, directory: Path) -> tuple[str | Path, ...]:
    """The agent as it was at a commit, with what is installed now; its files are in `directory`."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *PARTS))) as archive:
        archive.extractall(directory, filter="data")
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from receiver.cli import main; main()"
    return (sys.executable, "-c", start, directory)


def git(*arguments: str) -> bytes:
    """What git prints; skips where the history does not go back as far."""
    try:
        return subprocess.run(("git", *arguments), cwd=REPOSITORY, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"an earlier version is needed, and this clone does not have it: {error}")


@pytest.mark.parametrize("first", ["the older", "the newer"])
def test_what_one_version_has_begun_the_other_ends(tmp_path: Path, postgres: Postgres, first: str) -> None:
    """The replica that works on a run is lost, and one of another version takes it over: one run, and one effect."""
    older_program = program_of(brought_the_newest_schema(), tmp_path / "older")
    with replicas(tmp_path, postgres.new_database(), count=2) as both:
        here = both.stand
        older, newer = both.members
        older.program = older_program
        begins, ends = (older, newer) if first == "the older" else (newer, older)
        both.hold.touch()
        both.go_wrong(begins)
        here.eventually(both.reaches("back_up"), LONG)
        both.start(ends)
        begins.lose()
        both.hold.unlink()
        run = here.await_run(timeout=LONG)

        assert "the run is taken up again" in ends.said()
        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert (both.escalations(), here.runs()) == ([], [run])


def test_a_newer_version_changes_the_journal_under_an_older_one(tmp_path: Path, postgres: Postgres) -> None:
    """In the middle of a run of the older one, which ends it; started again, it refuses what it does not know."""
    older_program = program_of(f"{brought_the_newest_schema()}^", tmp_path / "older")
    with replicas(tmp_path, postgres.new_database(), count=2) as both:
        here = both.stand
        older, newer = both.members
        older.program = older_program
        both.hold.touch()
        both.go_wrong(older)
        here.eventually(lambda: [run["phase"] for run in here.runs()] == ["back_up"], LONG)
        both.start(newer)
        both.hold.unlink()
        run = here.await_run(timeout=LONG)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert (both.escalations(), here.runs()) == ([], [run])
        assert older.process is not None
        older.process.stop()
        again = older.start()
        here.eventually(lambda: not again.running, LONG)
        assert again.exit_code == 1
        assert "newer" in again.tail()
