"""Old backups go, but never one that may still be wanted, and never what is not ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.backup.contents import About, Contents
from receiver.backup.retention import LEFT_BEHIND, remove, remove_remains, superfluous
from receiver.backup.stored import Stored, all_in, find
from receiver.config.deployment import Backups, Keep
from tests.receiver.backup.kept import NAME, NOW, keep, names_in

DAY = 86400.0


def stored(name: str, days_old: float, deployment: str = "qrl", fault: str | None = None) -> Stored:
    """A backup of this age, of the run `name`."""
    about = About(deployment, name, "rollback-agent", NOW - days_old * DAY, "r2", None)
    contents = None if fault else Contents(1, "0", about, ())
    return Stored(f"state-{name}", Path("/backups", f"state-{name}"), contents, 1_000_000, fault)


FOUR = (stored("d", 1), stored("c", 2), stored("b", 3), stored("a", 4))


def going(
    settings: Keep, found: tuple[Stored, ...] = FOUR, needed: frozenset[str] = frozenset(), newest: str = "d"
) -> list[str]:
    """The runs of those that would be removed."""
    gone = superfluous(found, "qrl", settings, needed, Path("/backups", f"state-{newest}"), NOW)
    return [one.id.removeprefix("state-") for one in gone]


@pytest.mark.parametrize(
    ("settings", "gone"),
    [
        (Keep(), []),
        (Keep(count=4), []),
        (Keep(count=2), ["a", "b"]),
        (Keep(count=1), ["a", "b", "c"]),
        (Keep(age="60h"), ["a", "b"]),
        (Keep(count=3, age="60h"), ["a", "b"]),
        (Keep(count=1, age="60h"), ["a", "b", "c"]),
        (Keep(age="1s"), ["a", "b", "c"]),
        (Keep(bytes=2_000_000), ["a", "b"]),
        (Keep(bytes=1_000_000, count=3), ["a", "b", "c"]),
    ],
    ids=str,
)
def test_so_many_and_none_that_is_too_old_is_kept(settings: Keep, gone: list[str]) -> None:
    """What is beyond the count goes, and what is older than the age; the oldest first, the newest never."""
    assert going(settings) == gone


def test_one_of_an_open_incident_stays() -> None:
    """As long as the incident of its run is open, somebody may want it."""
    assert going(Keep(count=1), needed=frozenset({"a", "c"})) == ["b"]


def test_newest_good_one_stays_whatever_the_clock_says() -> None:
    """A clock that was set back makes the newest look old; it is kept all the same."""
    assert going(Keep(count=1, age="1s"), newest="a") == ["b", "c", "d"]


def test_others_are_not_counted_and_stay() -> None:
    """Another deployment's, and what does not say of itself what it is, are neither counted nor removed."""
    found = (*FOUR, stored("x", 9, deployment="shop"), stored("y", 9, fault="no manifest"))
    assert going(Keep(count=4), found) == []
    assert going(Keep(count=1, age="1s"), found) == ["a", "b", "c"]


@given(
    ages=st.lists(st.floats(0, 100), min_size=1, max_size=12, unique=True),
    count=st.integers(1, 5),
    age=st.none() | st.integers(1, 100),
    data=st.data(),
)
def test_what_must_stay_stays(ages: list[float], count: int, age: int | None, data: st.DataObject) -> None:
    """Whatever is there: the newest good one and those of open incidents stay, and no more than needed does."""
    found = tuple(stored(f"r{number}", days) for number, days in enumerate(ages))
    newest = data.draw(st.sampled_from(found))
    needed = frozenset(data.draw(st.sets(st.sampled_from([f"r{number}" for number in range(len(ages))]))))
    settings = Keep(count=count, age=f"{age}d" if age else None)

    gone = set(superfluous(found, "qrl", settings, needed, newest.directory, NOW))

    kept = [one for one in found if one not in gone]
    assert newest in kept
    assert {one.id.removeprefix("state-") for one in gone}.isdisjoint(needed)
    assert len([one for one in kept if one is not newest and one.id.removeprefix("state-") not in needed]) <= count


def test_removal_takes_the_backup_and_nothing_else(tmp_path: Path, shared: Path, into: Path) -> None:
    """What a link in it leads to stays, also where directories in it may not be written to."""
    (shared / "uploads").chmod(0o500)
    keep(Backups(paths=(shared,)), into, run="run2")
    keep(Backups(paths=(shared,)), into)
    (into / NAME / "paths" / "outside").symlink_to(shared)

    remove(find(into, NAME))

    assert names_in(into) == [NAME.replace("run1", "run2")]
    assert (shared / "uploads" / "empty").is_file()
    assert len(all_in(into)) == 1


def test_remains_go_and_what_is_not_ours_stays(tmp_path: Path, into: Path) -> None:
    """Half a removal and a backup begun long ago are removed; one begun just now, links and other names stay."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in (".removing-state-1", ".partial-old", ".partial-new", "mine", ".partial", "state-mine"):
        (into / name).mkdir(parents=True)
    (into / ".removing-link").symlink_to(outside)
    now = (into / ".partial-new").stat().st_mtime
    os.utime(into / ".partial-old", (now - LEFT_BEHIND - 1, now - LEFT_BEHIND - 1))

    remove_remains(into, now)

    assert names_in(into) == [".partial", ".partial-new", ".removing-link", "mine", "state-mine"]
    assert outside.is_dir()
