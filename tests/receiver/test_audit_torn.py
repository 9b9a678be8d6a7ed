"""What a power cut or a full disk leaves of a record is told of, and costs no other record."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.audit import AuditTrail
from receiver.audit_chain import verify
from tests.receiver.trails import digest, records, trail_files

REPOSITORY = Path(__file__).parents[2]
ONE_RECORD = """
import sys
from pathlib import Path
from receiver.audit import AuditTrail
from tests.receiver.trails import trail_files
AuditTrail(trail_files(Path(sys.argv[1])), lambda: 0.0).record("d", "r")
"""
ON_A_SHORT_DISK = """
import resource, sys
from pathlib import Path
from receiver.audit import AuditTrail
from receiver.errors import AuditError
from tests.receiver.trails import trail_files
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
for _ in range(2):
    try:
        AuditTrail(trail_files(Path(sys.argv[1])), lambda: 0.0).record("d", "x" * 60)
    except AuditError as error:
        print(error)
"""

ON_A_FULL_DISK = """
import sys
from pathlib import Path
from receiver.audit import AuditTrail
from receiver.audit_chain import verify
from receiver.errors import AuditError
from tests.receiver.trails import trail_files
disk = Path(sys.argv[1])
trail = AuditTrail(trail_files(disk), lambda: 0.0)
trail.record("first", "r")
(disk / "ballast").write_bytes(b"x" * 30_000)
written = 1
try:
    while written < 500:
        trail.record("next", "x" * 300)
        written += 1
except AuditError as error:
    print(str(error).rpartition(": ")[2])
head, fault = verify(trail.files)
print(head.records == written, fault)
(disk / "ballast").unlink()
trail.record("after", "the disk has room again")
head, fault = verify(trail.files)
print(head.records == written + 1, fault)
"""

ON_A_FAILING_DISK = """
import sys
from pathlib import Path
from receiver.audit import AuditTrail
from receiver.audit_chain import verify
from receiver.errors import AuditError
from tests.receiver.trails import trail_files
trail = AuditTrail(trail_files(Path(sys.argv[1])), lambda: 0.0)
for decision in ("first", "second", "third"):
    try:
        trail.record(decision, "r")
    except AuditError as error:
        print(str(error).rpartition(": ")[2])
print(verify(trail.files)[1])
"""


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(trail_files(tmp_path), lambda: 0.0)


def test_record_after_a_torn_one_is_whole(trail: AuditTrail) -> None:
    """What a power cut left of a record stays as it is, and the next record begins on a line of its own."""
    trail.record("first", "r")
    with trail.files.active.open("a") as file:
        file.write('{"timestamp": "2026-')
    trail.record("second", "r")
    first, torn, *others = trail.files.active.read_text().splitlines()
    assert torn == '{"timestamp": "2026-'
    told, second = map(json.loads, others)
    assert (json.loads(first)["seq"], told["seq"], second["seq"], second["decision"]) == (1, 2, 3, "second")
    assert told["decision"] == "audit:torn_tail"
    assert told["metrics_used"] == {"torn_sha256": digest(f"{torn}\n".encode())}
    assert (told["prev"], second["prev"]) == (digest(first.encode()), digest(others[0].encode()))


def test_record_may_be_torn_at_any_byte(trail: AuditTrail) -> None:
    """Wherever a power cut ends the last record, the next one is added, and the trail tells of it and holds."""
    trail.record("first", "r")
    first = trail.files.active.read_bytes()
    trail.record("second", "r")
    second = trail.files.active.read_bytes()[len(first) :]
    for length in range(len(second) + 1):
        trail.files.active.write_bytes(first + second[:length])
        trail.record("third", "r")
        assert verify(trail.files)[1] is None, length
        lines = trail.files.active.read_bytes().splitlines()
        whole = [json.loads(line) for line in lines if b'"hmac": ' in line and line.endswith(b'"}')]
        is_one, is_none = length >= len(second) - 1, length == 0
        told = ["second"] if is_one else [] if is_none else ["audit:torn_tail"]
        assert [record["decision"] for record in whole] == ["first", *told, "third"], length


def test_record_that_only_lacks_its_newline_is_one(trail: AuditTrail) -> None:
    """Cut exactly at its end, a record is whole: the next one follows it."""
    trail.record("first", "r")
    trail.files.active.write_bytes(trail.files.active.read_bytes()[:-1])
    trail.record("second", "r")
    assert [(record["seq"], record["decision"]) for record in records(trail)] == [(1, "first"), (2, "second")]
    assert verify(trail.files)[1] is None


def test_last_record_is_found_however_long_the_lines_are(trail: AuditTrail) -> None:
    """Only the end of the file is read, and as much of it as the last record takes."""
    for length in (10, 100_000, 10, 8192, 8000):
        trail.record("d", "x" * length)
    with trail.files.active.open("a") as file:
        file.write("torn" * 10_000)
    trail.record("d", "r")
    numbers = [json.loads(line)["seq"] for line in trail.files.active.read_text().splitlines() if line.startswith("{")]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert verify(trail.files)[1] is None


def test_record_that_is_written_in_part_is_an_error(trail: AuditTrail) -> None:
    """Where the file may not grow any more, the half record is reported, and taken back: all lines stay whole."""
    program = [sys.executable, "-c", ON_A_SHORT_DISK, str(trail.files.active.parent)]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert (
        done.stdout == f"{trail.files.active}: the audit trail cannot be written: only part of the record was written\n"
    )
    trail.record("after", "the disk has room again")
    assert [record["decision"] for record in records(trail)] == ["d", "after"]


def test_full_disk_costs_no_record_but_those_that_are_refused(tmp_path: Path) -> None:
    """On a real file system that runs full a record is an error, the trail holds, and goes on once there is room."""
    mount = f"mount -t tmpfs -o size=64k none {tmp_path}"
    in_private = ["unshare", "--mount", "sh", "-c"]
    try:
        subprocess.run([*in_private, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system of one's own needs root and unshare(1)")
    script = [*in_private, f'{mount} && exec "$0" -c "$1" {tmp_path}', sys.executable, ON_A_FULL_DISK]
    done = subprocess.run(script, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    why, full, after = done.stdout.splitlines()
    assert why in ("only part of the record was written", "No space left on device")
    assert (full, after) == ("True None", "True None")


@pytest.mark.parametrize(
    ("which", "told", "kept"),
    [
        ("5", ["Input/output error", "None"], ["first", "third"]),
        ("5+", ["Input/output error", "Input/output error", "None"], ["first"]),
    ],
    ids=["once", "from then on"],
)
def test_record_that_was_not_synced_is_none(tmp_path: Path, which: str, told: list[str], kept: list[str]) -> None:
    """Where fsync fails the record is an error and taken back, so nobody finds on the trail what was not done."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    program = [sys.executable, "-c", ON_A_FAILING_DISK, str(tmp_path)]
    inject = f"inject=fsync:error=EIO:when={which}"  # four come before: key, directories, record
    watched = [strace, "-o", str(tmp_path / "calls"), "-e", inject, *program]
    done = subprocess.run(watched, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if "PTRACE" in done.stderr:
        pytest.skip("strace may not watch processes here")
    assert done.stdout.splitlines() == told
    assert [record["decision"] for record in records(AuditTrail(trail_files(tmp_path), lambda: 0.0))] == kept


def test_record_is_synced_before_the_call_returns(tmp_path: Path) -> None:
    """The system calls are, for a new file, an fsync of its directory, then a write and an fsync of the file."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    program = [sys.executable, "-c", ONE_RECORD, str(tmp_path)]
    watched = [strace, "-e", "trace=write,fsync", *program]
    done = subprocess.run(watched, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if "PTRACE" in done.stderr:
        pytest.skip("strace may not watch processes here")
    names = [line.split("(")[0] for line in done.stderr.splitlines() if line.startswith(("write(", "fsync("))]
    assert names[-3:] == ["fsync", "write", "fsync"]
