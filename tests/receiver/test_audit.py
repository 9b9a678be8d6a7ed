"""An audit record is on disk as one whole line, or the caller is told that it is not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from receiver import __version__
from receiver.audit import AuditTrail
from receiver.audit_chain import Head, verify
from receiver.audit_files import TrailFiles
from receiver.audit_key import AuditKey
from receiver.errors import AuditError
from receiver.redact import REDACTED
from tests.receiver.trails import digest, records, trail_files

REPOSITORY = Path(__file__).parents[2]
NOW = 1_795_446_245.5
WRITER = """
import sys
from pathlib import Path
from receiver.audit import AuditTrail
from tests.receiver.trails import trail_files
trail = AuditTrail(trail_files(Path(sys.argv[1])), lambda: 0.0)
for number in range(50):
    trail.record("decision", "x" * 3000, run=f"{sys.argv[2]}-{number}")
"""
AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from receiver.audit import AuditTrail
from receiver.errors import AuditError
from tests.receiver.trails import trail_files
if os.geteuid() == 0:  # root may write everything
    os.setuid(65534)
try:
    AuditTrail(trail_files(Path(sys.argv[1])), lambda: 0.0).record("d", "r")
except AuditError as error:
    print(error)
"""


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(trail_files(tmp_path), lambda: NOW)


def test_record_has_the_guides_fields(trail: AuditTrail) -> None:
    """Timestamp, decision, reasoning, version and metrics, as the guide has them, and who, where and which run."""
    trail.record("execute", "roll back to r1", deployment="qrl", run="a1", facts={"deployment:availability:ratio": 0.3})
    trail.record("approved", "looks right", actor="ada")
    first, second = records(trail)
    assert first == {
        "seq": 1,
        "prev": "0" * 64,
        "timestamp": "2026-11-23T15:04:05.500+00:00",
        "decision": "execute",
        "reasoning": "roll back to r1",
        "agent_version": __version__,
        "metrics_used": {"deployment:availability:ratio": 0.3},
        "actor": "rollback-agent",
        "deployment": "qrl",
        "run": "a1",
        "hmac": first["hmac"],
    }
    assert list(first)[-1] == "hmac"
    assert (second["actor"], second["deployment"], second["run"], second["metrics_used"]) == ("ada", None, None, {})


def test_record_is_one_line_whatever_it_says(trail: AuditTrail) -> None:
    """Newlines, escapes and half surrogates in a reason do not make a second line, and come back unchanged."""
    reasons = ['a\nb", "decision": "forged', "\x1b[31m", "a\u2028b", "\ud800"]
    for reason in reasons:
        trail.record("deny", reason)
    assert [record["reasoning"] for record in records(trail)] == reasons


def test_secrets_are_not_recorded(trail: AuditTrail) -> None:
    """A fact below a sensitive key is replaced before it is written."""
    trail.record("execute", "r", facts={"plan": {"environment": {"TOKEN": "hunter2"}}})
    [record] = records(trail)
    assert record["metrics_used"] == {"plan": {"environment": {"TOKEN": REDACTED}}}


def test_secrets_in_what_people_say_are_not_recorded(trail: AuditTrail) -> None:
    """A reason, a comment or a name that holds a secret is recorded without it."""
    trail.record("deny", "see http://ada:hunter2@db/", actor="ada password=hunter2")
    [record] = records(trail)
    assert record["reasoning"] == f"see http://{REDACTED}@db/"
    assert record["actor"] == f"ada password={REDACTED}"


def test_file_is_its_owners(trail: AuditTrail) -> None:
    """Nobody but the agent's user may read or write the trail."""
    trail.record("d", "r")
    assert trail.files.active.stat().st_mode & 0o777 == 0o600


def test_processes_append_at_once_and_all_lines_are_whole(trail: AuditTrail) -> None:
    """Four processes with fifty records each leave two hundred whole lines in one chain, each writer's in its order."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, trail.files.active.parent, str(number)], cwd=REPOSITORY)
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    runs = [record["run"] for record in records(trail)]
    assert len(runs) == 200
    assert [record["seq"] for record in records(trail)] == list(range(1, 201))
    assert verify(trail.files) == (Head(200, digest(trail.files.active.read_bytes().splitlines()[-1])), None)
    for number in range(4):
        assert [run for run in runs if run.startswith(f"{number}-")] == [f"{number}-{count}" for count in range(50)]


def test_first_record_brings_the_key_with_it(trail: AuditTrail) -> None:
    """The key is made for the first record, for its owner only, and stays; only then is the record written."""
    trail.record("first", "r")
    key = trail.files.key.read_text()
    assert (len(bytes.fromhex(key)), trail.files.key.stat().st_mode & 0o777) == (32, 0o600)
    trail.record("second", "r")
    assert trail.files.key.read_text() == key
    assert verify(trail.files)[1] is None


def without(key: Path) -> None:
    key.unlink()


def with_another(key: Path) -> None:
    key.write_text("f" * 64)


def cut_short(key: Path) -> None:
    key.write_text("f" * 31)


def open_to_others(key: Path) -> None:
    key.chmod(0o604)


def with_a_directory_in_its_place(key: Path) -> None:
    key.unlink()
    key.mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (without, "audit.key: the key of the audit trail is gone; bring it back, or move the trail away"),
        (with_another, "audit-trail.jsonl: its last record is not signed with the key in "),
        (cut_short, "audit.key: the secret is shorter than 32 characters"),
        (open_to_others, "audit.key: others may read it; run: chmod 600 "),
        (with_a_directory_in_its_place, "audit.key: the key of the audit trail cannot be read: Is a directory"),
    ],
    ids=["gone", "another", "short", "open", "directory"],
)
def test_nothing_is_recorded_with_another_key_than_the_trails(
    trail: AuditTrail, damage: Callable[[Path], None], why: str
) -> None:
    """A key that is gone, was exchanged, or that others know is an error, never a new key; the trail stays as it is."""
    trail.record("first", "r")
    before, key = trail.files.active.read_bytes(), trail.files.key.read_text()
    damage(trail.files.key)

    with pytest.raises(AuditError, match=re.escape(why)) as error:
        trail.record("second", "r")

    assert trail.files.active.read_bytes() == before
    assert key not in str(error.value)


def test_nothing_is_added_to_records_that_nobody_signed(trail: AuditTrail) -> None:
    """A trail that something else wrote, or a version that did not sign, is not taken over."""
    AuditKey(trail.files.key).make()
    trail.files.active.write_text('{"decision": "old"}\n')
    with pytest.raises(AuditError, match=r"its last record is not signed .* move the trail away, and the next record"):
        trail.record("new", "r")
    trail.files.active.rename(trail.files.active.with_suffix(".old"))
    trail.record("new", "r")
    assert [record["seq"] for record in records(trail)] == [1]


def test_place_that_takes_no_key_is_an_error(tmp_path: Path) -> None:
    """Where no key can be made nothing is recorded."""
    trail = AuditTrail(TrailFiles(tmp_path / "audit-trail.jsonl", tmp_path / "absent" / "audit.key"), lambda: NOW)
    with pytest.raises(AuditError, match=r"audit\.key: no key can be made for the audit trail: No such file"):
        trail.record("d", "r")
    assert trail.files.active.read_bytes() == b""


def test_the_key_is_not_recorded(trail: AuditTrail) -> None:
    """Once it was used, the key is hidden like any other secret that the agent has read."""
    trail.record("first", "r")
    trail.record("second", f"the key is {trail.files.key.read_text()}")
    assert records(trail)[1]["reasoning"] == f"the key is {REDACTED}"


def test_read_only_file_is_an_error() -> None:
    """A trail that may not be written is an error that names the file and the reason."""
    with TemporaryDirectory() as place:  # not below pytest's own, which no other user may enter
        Path(place).chmod(0o755)
        file = Path(place) / "audit-trail.jsonl"
        file.write_text("")
        file.chmod(0o444)
        program = [sys.executable, "-c", AS_ANOTHER_USER, place]
        done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == f"{file}: the audit trail cannot be written: Permission denied\n"


def test_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """Without its directory the trail is not silently written elsewhere."""
    with pytest.raises(AuditError, match="the audit trail cannot be written: No such file or directory"):
        AuditTrail(trail_files(tmp_path / "absent"), lambda: NOW).record("d", "r")


def test_link_in_place_of_the_file_is_not_followed(trail: AuditTrail, tmp_path: Path) -> None:
    """A link that somebody put in the trail's place leads no record astray."""
    trail.files.active.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditError, match="the audit trail cannot be written: Too many levels of symbolic links"):
        trail.record("d", "r")
    assert not (tmp_path / "elsewhere").exists()


def test_number_that_json_does_not_know_is_an_error(trail: AuditTrail) -> None:
    """A fact that cannot be written as JSON is told as every other failure to record, and nothing is written."""
    with pytest.raises(AuditError, match="the record cannot be written as JSON: Out of range float values"):
        trail.record("d", "r", facts={"ratio": float("nan")})
    assert not trail.files.active.exists()
