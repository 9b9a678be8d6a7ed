"""A log is followed through everything that happens to real log files."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exporters.log_tail import MAX_LINE, MAX_RETIRED, RETIRED_FOR, Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def write(path: Path, text: str | bytes) -> None:
    """Append as a web server does."""
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def read(tail: Tail) -> list[str]:
    text = b"".join(tail.blocks()).decode(errors="replace")
    assert text == "" or text.endswith("\n")
    return text.split("\n")[:-1]


def test_following_begins_at_the_end(path: Path) -> None:
    """What a file held before is left out; what is written afterwards is read once."""
    write(path, "old\n")
    tail = Tail(path)
    assert read(tail) == []
    write(path, "one\ntwo\n")
    assert read(tail) == ["one", "two"]
    assert read(tail) == []


def test_line_that_was_begun_before_is_read_whole(path: Path) -> None:
    """A last line without its end is completed later, and is then read from its beginning."""
    write(path, "old\nbeg")
    tail = Tail(path)
    write(path, "un\n")
    assert read(tail) == ["begun"]


def test_partial_line_waits_for_its_end(path: Path) -> None:
    """A line is read once it is whole, however many pieces it comes in."""
    path.touch()
    tail = Tail(path)
    for piece in ("a", "b", "c"):
        write(path, piece)
        assert read(tail) == []
    write(path, "d\ne")
    assert read(tail) == ["abcd"]


def test_file_that_appears_later_is_read_from_its_first_line(path: Path) -> None:
    """A file that is not there yet is waited for, and all of it is new."""
    tail = Tail(path)
    assert not tail.is_open
    assert read(tail) == []
    write(path, "first\n")
    assert read(tail) == ["first"]
    assert tail.is_open


def test_rotation_by_rename_loses_nothing(path: Path) -> None:
    """The old file is read to its end, also what its writer still adds, and the new one from its beginning."""
    path.touch()
    tail = Tail(path)
    write(path, "one\n")
    old = path.rename(path.with_suffix(".log.1"))
    write(old, "two\n")
    assert read(tail) == ["one", "two"]
    write(old, "three\n")
    write(path, "four\n")
    assert read(tail) == ["three", "four"]
    write(old, "five\n")
    write(path, "six\n")
    assert read(tail) == ["five", "six"]


def test_last_line_of_a_rotated_file_needs_no_newline(path: Path) -> None:
    """A rotated file is let go after a while, and what it ended with counts as a line."""
    now = 0.0
    path.touch()
    tail = Tail(path, clock=lambda: now)
    write(path, "cut off")
    path.rename(path.with_suffix(".log.1"))
    path.touch()
    assert read(tail) == []
    now += RETIRED_FOR
    assert read(tail) == ["cut off"]
    assert open_files(path.with_suffix(".log.1")) == 0


def test_rotation_by_truncation_starts_over(path: Path) -> None:
    """A file that is copied and emptied (copytruncate) is read from its beginning again."""
    path.touch()
    tail = Tail(path)
    write(path, "one\ntwo\n")
    assert read(tail) == ["one", "two"]
    shutil.copy(path, path.with_suffix(".log.1"))
    os.truncate(path, 0)
    write(path, "three\n")
    assert read(tail) == ["three"]


def test_many_rotations_leave_no_files_open(path: Path) -> None:
    """However often a log is rotated in a minute, the number of open files is bounded."""
    path.touch()
    tail = Tail(path)
    for number in range(40):
        write(path, f"{number}\n")
        path.rename(path.with_suffix(f".{number}"))
        path.touch()
        assert read(tail) == [str(number)]
    assert sum(open_files(path.with_suffix(f".{number}")) for number in range(40)) <= MAX_RETIRED
    tail.close()
    assert sum(open_files(file) for file in path.parent.iterdir()) == 0


def test_bytes_that_are_no_text_are_kept(path: Path) -> None:
    """Bytes that are not UTF-8 spoil neither their line nor the next."""
    path.touch()
    tail = Tail(path)
    write(path, b"caf\xe9 \x00\nnext\r\n")
    assert read(tail) == ["caf\ufffd \x00", "next\r"]


def test_long_line_is_cut(path: Path) -> None:
    """Of a line without measure only the beginning is kept, also while its end is still awaited."""
    path.touch()
    tail = Tail(path)
    for _ in range(5):
        write(path, b"x" * MAX_LINE)
        assert read(tail) == []
    write(path, "and its end\nnext\n")
    assert [len(line) for line in read(tail)] == [MAX_LINE, 4]


def test_line_that_never_ends_takes_no_memory(path: Path) -> None:
    """A file without a newline is read on and on, and no more of it is kept than of any long line."""
    path.touch()
    tail = Tail(path)
    tracemalloc.start()
    try:
        for _ in range(100):
            write(path, b"x" * MAX_LINE)
            assert read(tail) == []
        assert tracemalloc.get_traced_memory()[1] < 10 * MAX_LINE
    finally:
        tracemalloc.stop()


def test_pipe_and_directory_are_no_logs(path: Path) -> None:
    """A named pipe is refused at once and not waited for, and so is a directory."""
    os.mkfifo(path)
    for no_log in (path, path.parent):
        tail = Tail(no_log)
        assert (read(tail), tail.is_open, open_files(no_log)) == ([], False, 0)
    with capture_logs() as logged:
        Tail(path)
    assert [entry["error"] for entry in logged] == ["not a regular file"]


def test_pipe_that_gives_way_to_a_file_is_followed(path: Path) -> None:
    """A path that could not be read is tried again."""
    os.mkfifo(path)
    tail = Tail(path)
    path.unlink()
    read(tail)
    write(path, "first\n")
    assert read(tail) == ["first"]


def open_files(path: Path) -> int:
    """How often this process has `path` open."""
    descriptors = Path("/proc/self/fd").iterdir()
    targets = [str(descriptor.readlink()) for descriptor in descriptors if descriptor.is_symlink()]
    return targets.count(str(path))
