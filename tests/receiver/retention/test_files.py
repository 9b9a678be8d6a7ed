"""Which files go: by age, by size, the oldest first, and never one that is needed or young."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.config.retention import SETTLED, Files
from receiver.retention import files
from receiver.retention.files import REMOVING, Kept

DAY, NOW = 86400.0, 1.8e9
LIMITS = Files(age="30d", bytes=1_000_000)


def kept(name: str, days: float, size: int = 1, is_needed: bool = False) -> Kept:
    """Something that was last changed so many days ago."""
    return Kept(name, (), NOW - days * DAY, size, is_needed)


def going(*found: Kept) -> list[str]:
    """The names of what goes."""
    return [one.name for one in files.beyond(found, LIMITS, NOW)]


def test_what_is_older_goes_and_what_is_too_large_does_oldest_first() -> None:
    """Beyond the age in any case; beyond the size only until the rest fits."""
    assert going(kept("b", 29), kept("a", 31), kept("c", 0)) == ["a"]
    half = 400_000
    assert going(kept("c", 8, half), kept("a", 20, half), kept("b", 10, half), kept("d", 8, half)) == ["a", "b"]
    assert going(kept("b", 10, half), kept("a", 20, half)) == []


def test_what_is_needed_or_young_stays_however_large() -> None:
    """The size is not met then, and others go in their place."""
    large = 5_000_000
    assert going(kept("a", 400, large, is_needed=True), kept("b", 20), kept("c", 6.9, large)) == ["b"]
    assert going(kept("future", -3, large)) == []


@given(
    st.lists(st.tuples(st.floats(-10, 100), st.integers(0, 700_000), st.booleans()), max_size=12),
)
def test_only_as_much_as_must_goes(found: list[tuple[float, int, bool]]) -> None:
    """Nothing needed or settling, all that is old and free; and by size only until the rest fits."""
    every = [kept(str(number), *one) for number, one in enumerate(found)]
    gone = files.beyond(every, LIMITS, NOW)
    for one in gone:
        assert not one.is_needed
        assert NOW - one.changed_at >= SETTLED
    free = [one for one in every if one not in gone and not one.is_needed and NOW - one.changed_at >= SETTLED]
    assert all(NOW - one.changed_at < LIMITS.age for one in free)
    left = sum(one.bytes for one in every if one not in gone)
    assert left <= LIMITS.bytes or not free
    if gone and NOW - gone[-1].changed_at < LIMITS.age:
        assert left + gone[-1].bytes > LIMITS.bytes, "the last that went by size had to"


def test_a_removal_that_was_interrupted_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory has another name from the first moment on; what a kill left of it goes with the next pass."""
    directory = tmp_path / "runs" / "12345678"
    directory.mkdir(parents=True)
    (directory / "started").write_text("")

    class Killed(BaseException): ...

    def die(_tree: Path) -> None:
        raise Killed

    monkeypatch.setattr(files.trees, "remove", die)
    one = files.measured("x", (directory,), False)
    assert one is not None
    with pytest.raises(Killed):
        files.remove(one)
    assert [entry.name for entry in directory.parent.iterdir()] == [f"{REMOVING}12345678"]
    monkeypatch.undo()
    files.remove_remains(directory.parent)
    assert list(directory.parent.iterdir()) == []
    files.remove(one)  # gone already: no error


def test_links_are_neither_followed_nor_measured(tmp_path: Path) -> None:
    """A link in `logs` is not ours, and what it leads to is not touched."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("x" * 100)
    (tmp_path / "link").symlink_to(tmp_path / "outside" / "file")
    (tmp_path / "directory").symlink_to(tmp_path / "outside")
    assert [path.name for path in files.regular_files(tmp_path)] == []
    assert [path.name for path in files.directories(tmp_path)] == ["outside"]
    assert list(files.regular_files(tmp_path / "nowhere")) == []
